//! Prices.

use serde::Deserialize;

use crate::error::{Error, Owner};
use crate::object::Requests;

const PRICES: &str = include_str!("prices.toml");

const BYTES_OF_GB: f64 = 1e9;
const BYTES_OF_TB: f64 = 1e12;

/// What AWS charges, in US dollars, and how fast things are taken to go. The table with its day
/// and its sources is `prices.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// The day of the prices.
    pub as_of: String,
    list_per_1000: f64,
    get_per_1000: f64,
    transfer_per_gb: f64,
    athena_per_tb: f64,
    athena_least_bytes: u64,
    pub(super) bytes_per_second: f64,
    pub(super) seconds_per_request: f64,
}

/// What some work costs, in US dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bill {
    /// The requests to S3: all there is to pay within the bucket's Region.
    pub requests: f64,
    /// Carrying the bytes out of AWS.
    pub transfer: f64,
    /// What Athena charges for the same objects.
    pub athena: f64,
}

impl Bill {
    /// All that there is to pay at S3 where bytes are carried out of AWS.
    pub fn internet(&self) -> f64 {
        rounded(self.requests + self.transfer)
    }
}

impl Prices {
    /// The prices of the table with some replaced.
    pub fn with(replaced: &toml::Table) -> Result<Self, Error> {
        let wrong = |error: toml::de::Error| {
            let message = format!("prices: {}", error.message());
            Error::new(Owner::Config, message)
                .hint("[prices] in loglens.toml has the names of engine/core/src/cost/prices.toml")
        };
        let mut all: toml::Table = PRICES.parse().map_err(wrong)?;
        all.extend(replaced.clone());
        all.try_into().map_err(wrong)
    }

    /// What requests and the bytes that they carry cost. Athena reads all bytes of the objects,
    /// which are `of_objects`.
    pub fn bill(&self, requests: &Requests, of_objects: u64) -> Bill {
        let list = requests.list as f64 / 1000.0 * self.list_per_1000;
        let get = requests.get as f64 / 1000.0 * self.get_per_1000;
        let scanned = of_objects.max(self.athena_least_bytes) as f64;
        let transfer = requests.bytes as f64 / BYTES_OF_GB * self.transfer_per_gb;
        Bill {
            requests: rounded(list + get),
            transfer: rounded(transfer),
            athena: rounded(scanned / BYTES_OF_TB * self.athena_per_tb),
        }
    }
}

/// To a billionth of a dollar, so that no digits are shown that mean nothing.
fn rounded(dollars: f64) -> f64 {
    (dollars * 1e9).round() / 1e9
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bills() {
        let prices = Prices::with(&toml::Table::new()).unwrap();
        let requests = Requests {
            list: 2_000,
            get: 1_000_000,
            bytes: 20_000_000_000,
            ..Requests::default()
        };
        let bill = prices.bill(&requests, 20_000_000_000);
        let cents = |dollars: f64| (dollars * 100.0).round();
        assert_eq!(cents(bill.requests), 41.0);
        assert_eq!(cents(bill.transfer), 180.0);
        assert_eq!(cents(bill.athena), 10.0);
        assert_eq!(prices.bill(&Requests::default(), 1).athena, 5e-5);
    }

    #[test]
    fn prices_can_be_replaced() {
        let free: toml::Table = "get_per_1000 = 0\nas_of = \"today\"".parse().unwrap();
        let prices = Prices::with(&free).unwrap();
        let requests = Requests {
            get: 1000,
            ..Requests::default()
        };
        assert_eq!(prices.bill(&requests, 0).requests, 0.0);
        let wrong: toml::Table = "per_get = 1".parse().unwrap();
        let error = Prices::with(&wrong).unwrap_err();
        assert!(
            error.message.starts_with("prices: unknown field `per_get`"),
            "{error}"
        );
    }
}
