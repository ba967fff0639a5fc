//! `contains(network, address)` and `contains(text, part)`.
//!
//! As in Trino, an address lies in a network in CIDR notation or it does not; what is no address
//! lies in none. Addresses are text here, so this is DataFusion's function over text too: where
//! the first argument is no network, it says whether the second stands in it.

use std::sync::Arc;

use datafusion::arrow::array::BooleanArray;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::cast::as_string_view_array;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use loglens_parsers::filter::Cidr;

/// The function.
pub(crate) fn function() -> ScalarUDF {
    ScalarUDF::new_from_impl(Contains {
        signature: Signature::uniform(2, vec![DataType::Utf8View], Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Contains {
    signature: Signature,
}

impl ScalarUDFImpl for Contains {
    fn name(&self) -> &'static str {
        "contains"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let (whole, parts) = (
            as_string_view_array(&arrays[0])?,
            as_string_view_array(&arrays[1])?,
        );
        // Nearly always all rows have the same network.
        let mut network: Option<(&str, Option<Cidr>)> = None;
        let contains = whole.iter().zip(parts).map(|(whole, part)| {
            let (whole, part) = (whole?, part?);
            let (_, network) = match network.take_if(|(text, _)| *text == whole) {
                Some(same) => network.insert(same),
                None => network.insert((whole, whole.parse().ok())),
            };
            Some(match network {
                Some(network) => network.contains(part.as_bytes()).unwrap_or(false),
                None => whole.contains(part),
            })
        });
        let contains: BooleanArray = contains.collect();
        Ok(ColumnarValue::Array(Arc::new(contains)))
    }
}
