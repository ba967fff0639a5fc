//! What all readers of one scan have in common.

use std::sync::Arc;

use loglens_parsers::format::Format;
use loglens_parsers::frame::ExpansionLimit;
use loglens_parsers::layout::Layout;
use loglens_parsers::record::BlockPool;

use super::metrics::ByteMetrics;
use super::spec::ScanSpec;
use crate::object::ObjectSource;

/// What it takes to read the objects of a scan.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) sources: Arc<[Arc<dyn ObjectSource>]>,
    pub(super) bytes: ByteMetrics,
    pub(super) format: Arc<Format>,
    /// The layout of records that no header line describes.
    pub(super) layout: Arc<Layout>,
    pub(super) limit: ExpansionLimit,
    pub(super) pool: BlockPool,
}

impl Parts {
    pub(super) fn new(
        spec: &ScanSpec,
        format: &Arc<Format>,
        sources: Arc<[Arc<dyn ObjectSource>]>,
        bytes: ByteMetrics,
    ) -> Self {
        let layout = match &spec.fields {
            Some(names) => Arc::new(Layout::given(format, names)),
            None => Arc::clone(format.default_layout()),
        };
        Self {
            sources,
            bytes,
            format: Arc::clone(format),
            layout,
            limit: ExpansionLimit {
                ratio: spec.max_expansion,
                ..ExpansionLimit::default()
            },
            pool: BlockPool::default(),
        }
    }
}
