//! What a statement will read and cost, as rows.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, RecordBatch, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::Result;

use super::prices::Prices;
use crate::object::Requests;

/// What a statement will read, if nothing ends it early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Estimate {
    /// Objects.
    pub(crate) objects: u64,
    /// Bytes of those objects.
    pub(crate) of_objects: u64,
    /// Requests that were made already to find them, and those that will be made to read them.
    pub(crate) requests: Requests,
    /// How many of these are under way at a time.
    pub(crate) at_a_time: usize,
}

impl Estimate {
    /// What it costs in all where bytes are carried out of AWS.
    pub(super) fn dollars(&self, prices: &Prices) -> f64 {
        let bill = prices.bill(&self.requests, self.of_objects);
        bill.internet()
    }

    /// How long it will take, in seconds: the longer of carrying the bytes and of waiting for
    /// answers.
    fn seconds(&self, prices: &Prices) -> f64 {
        let carrying = self.requests.bytes as f64 / prices.bytes_per_second;
        let rounds = self.requests.get as f64 / self.at_a_time.max(1) as f64;
        carrying.max(rounds.ceil() * prices.seconds_per_request)
    }
}

/// The schema of `EXPLAIN COST`.
pub(crate) fn schema() -> SchemaRef {
    let column = |name, data_type| Field::new(name, data_type, true);
    Arc::new(Schema::new(vec![
        column("item", DataType::Utf8View),
        column("amount", DataType::Float64),
        column("unit", DataType::Utf8View),
        column("usd", DataType::Float64),
    ]))
}

/// An estimate as rows.
pub(crate) fn batch(estimate: &Estimate, prices: &Prices) -> Result<RecordBatch> {
    let bill = prices.bill(&estimate.requests, estimate.of_objects);
    let requests = &estimate.requests;
    let work = [
        ("objects", estimate.objects as f64, "objects"),
        ("bytes in them", estimate.of_objects as f64, "bytes"),
        ("LIST requests", requests.list as f64, "requests"),
        ("GET requests", requests.get as f64, "requests"),
        ("time", estimate.seconds(prices), "seconds"),
    ];
    let to_pay = [
        ("S3 within the Region", bill.requests),
        ("S3 over the internet", bill.internet()),
        ("Athena for the same objects", bill.athena),
    ];
    let work = work.map(|(item, amount, unit)| (item, Some(amount), Some(unit), None));
    let to_pay = to_pay.map(|(item, dollars)| (item, None, None, Some(dollars)));
    let rows = || work.into_iter().chain(to_pay);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows().map(|row| Some(row.0)).collect::<StringViewArray>()),
        Arc::new(rows().map(|row| row.1).collect::<Float64Array>()),
        Arc::new(rows().map(|row| row.2).collect::<StringViewArray>()),
        Arc::new(rows().map(|row| row.3).collect::<Float64Array>()),
    ];
    Ok(RecordBatch::try_new(schema(), columns)?)
}
