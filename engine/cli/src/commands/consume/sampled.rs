//! Metrics that are not counted by events: what runs, and what AWS made of requests.

use super::connections::Connections;
use super::metrics::{Metrics, number};
use super::settings::Settings;

/// The metrics, with what is not counted by events.
pub(super) fn metrics(settings: &Settings, connections: &Connections) -> Metrics {
    let metrics = Metrics::default();
    let (application, stream) = (settings.application.clone(), settings.stream.text.clone());
    metrics.also(move |page| {
        let mut info = page.gauge("loglens_build_info", "What runs.");
        let version = env!("CARGO_PKG_VERSION");
        info.of(
            &[
                ("version", version),
                ("application", &application),
                ("stream", &stream),
            ],
            1.0,
        );
    });
    let connections = connections.clone();
    metrics.also(move |page| {
        let retries = connections.retries();
        let mut metric = page.counter("loglens_requests_retried_total", "Requests made again.");
        for (service, again, _) in &retries {
            metric.of(&[("service", service)], number(*again));
        }
        let help = "Answers that asked to slow down.";
        let mut metric = page.counter("loglens_requests_throttled_total", help);
        for (service, _, throttled) in &retries {
            metric.of(&[("service", service)], number(*throttled));
        }
    });
    metrics
}
