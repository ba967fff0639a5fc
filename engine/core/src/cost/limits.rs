//! What a statement may read at most.

use super::estimate::Estimate;
use super::prices::Prices;
use crate::error::{Error, Owner};

/// What a statement may read at most. One that would read more is refused before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    /// Bytes of objects.
    pub bytes: Option<u64>,
    /// US dollars, with the bytes carried out of AWS.
    pub dollars: Option<f64>,
}

impl Limits {
    pub(crate) fn check(&self, estimate: &Estimate, prices: &Prices) -> Result<(), Error> {
        let bytes = estimate.of_objects;
        if let Some(most) = self.bytes
            && bytes > most
        {
            let objects = format!("{bytes} bytes of {} objects", estimate.objects);
            return Err(refusal(&objects, &format!("{most} bytes")));
        }
        let dollars = estimate.dollars(prices);
        match self.dollars {
            Some(most) if dollars > most => {
                let what = format!("what costs ${dollars:.4}");
                Err(refusal(&what, &format!("${most}")))
            }
            _ => Ok(()),
        }
    }
}

fn refusal(would_read: &str, limit: &str) -> Error {
    let message = format!("the statement would read {would_read}; the limit is {limit}");
    Error::new(Owner::Usage, message)
        .hint("narrow it by time (--last 1h), account or Region, or raise the limit; EXPLAIN COST shows more")
}
