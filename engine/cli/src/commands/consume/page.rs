//! A page of metrics in Prometheus's text format, version 0.0.4.

use std::fmt::Write as _;

/// The content type of a page.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A page that is being written.
#[derive(Debug, Default)]
pub(super) struct Page(String);

/// A metric of a page: samples follow.
#[derive(Debug)]
pub(super) struct Metric<'a> {
    page: &'a mut String,
    name: &'static str,
}

impl Page {
    /// A number that goes up and down.
    pub(super) fn gauge(&mut self, name: &'static str, help: &str) -> Metric<'_> {
        self.metric(name, "gauge", help)
    }

    /// A number that only grows while the process lives; its name ends in `_total`.
    pub(super) fn counter(&mut self, name: &'static str, help: &str) -> Metric<'_> {
        self.metric(name, "counter", help)
    }

    fn metric(&mut self, name: &'static str, kind: &str, help: &str) -> Metric<'_> {
        // Writing to a String cannot fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        Metric {
            page: &mut self.0,
            name,
        }
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

impl Metric<'_> {
    /// Its only sample.
    pub(super) fn is(&mut self, value: f64) {
        self.of(&[], value);
    }

    /// A sample of it: of a shard, say.
    pub(super) fn of(&mut self, labels: &[(&str, &str)], value: f64) {
        self.page.push_str(self.name);
        for (number, (label, text)) in labels.iter().enumerate() {
            let before = if number == 0 { '{' } else { ',' };
            let _ = write!(self.page, "{before}{label}=\"{}\"", escaped(text));
        }
        if !labels.is_empty() {
            self.page.push('}');
        }
        let _ = writeln!(self.page, " {value}");
    }
}

fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\\\");
    text.replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn a_page_is_as_prometheus_wants_it() {
        let mut page = Page::default();
        page.gauge("a_seconds", "How long.").is(0.25);
        let mut counter = page.counter("b_total", "How often.");
        counter.of(&[("shard", "s\"1\\\n"), ("owner", "data")], 12.0);
        counter.of(&[], 9_007_199_254_740_992.0);
        assert_eq!(
            page.into_text(),
            "# HELP a_seconds How long.\n\
             # TYPE a_seconds gauge\n\
             a_seconds 0.25\n\
             # HELP b_total How often.\n\
             # TYPE b_total counter\n\
             b_total{shard=\"s\\\"1\\\\\\n\",owner=\"data\"} 12\n\
             b_total 9007199254740992\n"
        );
    }
}
