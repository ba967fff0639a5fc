//! The results as one picture: a panel for each layout, in it a group of bars for each case.
//!
//! The bars of a group share a scale of their own, since cases differ by more than peers do.

use std::fmt::Write;

use crate::cases::Storage;
use crate::report::seconds;
use crate::results::{CaseResults, LOGLENS, LayoutResults, ONE_CORE, Results};

const PANEL_WIDTH: usize = 480;
const MARGIN: usize = 16;
const LABEL_WIDTH: usize = 110;
const BAR_HEIGHT: usize = 9;
const BAR_STEP: usize = 11;
const GROUP_GAP: usize = 21;
const HEAD: usize = 30;
/// The longest bar, with room for its label.
const BAR_WIDTH: usize = PANEL_WIDTH - LABEL_WIDTH - 2 * MARGIN - 60;

/// An SVG that needs nothing else.
pub(crate) fn svg(results: &Results) -> String {
    let mut columns = [String::new(), String::new()];
    let mut heights = [HEAD; 2];
    for layout in results
        .layouts
        .iter()
        .filter(|layout| !layout.cases.is_empty())
    {
        // The next panel goes where there is more room.
        let at = usize::from(heights[1] < heights[0]);
        let x = at * PANEL_WIDTH + MARGIN;
        heights[at] = panel(&mut columns[at], layout, x, heights[at]);
    }
    let (width, height) = (2 * PANEL_WIDTH, heights[0].max(heights[1]) + MARGIN);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"10\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"{MARGIN}\" y=\"20\" font-size=\"12\" fill=\"#333333\">Seconds, {} cores, {}; shorter is better. \
         loglens with its start, others without.</text>\n{}{}</svg>\n",
        results.threads, results.date, columns[0], columns[1],
    )
}

/// Draws a layout from `y` on and says where it ends.
fn panel(out: &mut String, layout: &LayoutResults, x: usize, mut y: usize) -> usize {
    y += 20;
    let _ = writeln!(
        out,
        "<text x=\"{x}\" y=\"{y}\" font-size=\"12\" font-weight=\"bold\" fill=\"#111111\">{}</text>",
        escaped(&layout.layout.title())
    );
    if layout.layout.storage == Storage::Parquet {
        y += 12;
        let _ = writeln!(
            out,
            "<text x=\"{x}\" y=\"{y}\" fill=\"#666666\">loglens reads the text</text>"
        );
    }
    y += 8;
    for case in &layout.cases {
        y = group(out, case, x, y);
    }
    y
}

fn group(out: &mut String, case: &CaseResults, x: usize, mut y: usize) -> usize {
    y += GROUP_GAP - BAR_STEP;
    let _ = writeln!(
        out,
        "<text x=\"{x}\" y=\"{}\" fill=\"#333333\">{}</text>",
        y - 1,
        escaped(&case.title)
    );
    y += 3;
    let shown = case
        .contestants
        .iter()
        .filter(|contestant| contestant.name != ONE_CORE);
    let took: Vec<(&str, f64)> = shown
        .filter_map(|contestant| Some((contestant.name.as_str(), contestant.median()?)))
        .collect();
    let longest = took.iter().map(|&(_, seconds)| seconds).fold(0.0, f64::max);
    for (name, median) in took {
        let width = (median / longest * BAR_WIDTH as f64).max(1.0);
        let (bar, text) = (x + LABEL_WIDTH, y + BAR_HEIGHT - 1);
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{text}\" text-anchor=\"end\" fill=\"#666666\">{name}</text>\
             <rect x=\"{bar}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR_HEIGHT}\" fill=\"{}\"/>\
             <text x=\"{:.1}\" y=\"{text}\" fill=\"#333333\">{}</text>",
            bar - 5,
            if name == LOGLENS {
                "#d9480f"
            } else {
                "#8fa3b5"
            },
            bar as f64 + width + 4.0,
            seconds(median),
        );
        y += BAR_STEP;
    }
    y
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::results;

    #[test]
    fn a_chart_has_a_bar_for_everybody_who_answered() {
        let svg = svg(&results());
        // The white ground; four and four without one core; two of those who agree.
        assert_eq!(svg.matches("<rect").count(), 1 + 3 + 3 + 2);
        assert!(!svg.contains("loglens_one_core"));
        insta::assert_snapshot!(svg);
    }
}
