//! Vector's parsers of AWS logs, through VRL.

use vrl::compiler::runtime::Runtime;
use vrl::compiler::{Program, TargetValue, TimeZone, compile};
use vrl::value::{Secrets, Value};

/// Parses a record of flow logs of version 2.
pub const FLOW_LOG: &str = "parse_aws_vpc_flow_log!(string!(.))";

/// Parses a record of ALB's access logs, whatever fields its generation has at the end.
pub const ALB_LOG: &str = "parse_aws_alb_log!(string!(.), strict_mode: false)";

/// A VRL program that is run for every line.
pub struct VectorParser {
    program: Program,
    runtime: Runtime,
}

impl VectorParser {
    /// Compiles a program. The error says what is wrong with it.
    pub fn new(source: &str) -> Result<Self, String> {
        let compiled =
            compile(source, &vrl::stdlib::all()).map_err(|errors| format!("{errors:?}"))?;
        Ok(Self {
            program: compiled.program,
            runtime: Runtime::default(),
        })
    }

    /// Parses every line but a header, and counts those for which that succeeded.
    pub fn parse(&mut self, text: &[u8]) -> u64 {
        let lines = text.split(|&byte| byte == b'\n');
        let records = lines.filter(|line| !line.is_empty() && !line.starts_with(b"version "));
        let timezone = TimeZone::default();
        let mut parsed = 0;
        for record in records {
            let mut target = TargetValue {
                value: Value::from(record),
                metadata: Value::Object(std::collections::BTreeMap::new()),
                secrets: Secrets::new(),
            };
            if self
                .runtime
                .resolve(&mut target, &self.program, &timezone)
                .is_ok()
            {
                parsed += 1;
            }
            self.runtime.clear();
        }
        parsed
    }
}
