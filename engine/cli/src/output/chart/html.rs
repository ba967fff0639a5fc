//! Charts as HTML pages: one file that opens offline, without a script, and loads nothing.

use std::io::{self, Write};

use super::gathered::Gathered;
use super::model::Chart;
use super::svg;
use super::text::escaped;
use crate::output::cell::is_right_aligned;
use crate::output::grouped::grouped;

const STYLE: &str = "body{margin:2rem auto;max-width:64rem;padding:0 1rem;\
font:15px/1.5 system-ui,sans-serif;background:var(--paper);color:var(--ink)}
h1{font-size:1.3rem;overflow-wrap:anywhere}
pre{white-space:pre-wrap;overflow-wrap:anywhere;color:var(--dim);font-size:13px}
svg{width:100%;height:auto}
.table{overflow-x:auto}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .75rem;border-bottom:1px solid var(--rule);text-align:left;\
max-width:40rem;overflow-wrap:anywhere}
.number{text-align:right}
.note{color:var(--dim)}
";

/// Writes the page: the title, the SQL, the picture, and the rows as a table.
pub(super) fn draw(
    chart: &Chart,
    caption: &str,
    rows: &Gathered,
    out: &mut impl Write,
) -> io::Result<()> {
    let title = escaped(&chart.title);
    // Nothing is loaded whatever a value says: the escaping is not the only guard.
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    )?;
    let caption_shown = escaped(&svg::shown(caption));
    if !caption_shown.is_empty() {
        writeln!(out, "<pre>{caption_shown}</pre>")?;
    }
    svg::draw(chart, caption, out)?;
    table(rows, out)?;
    write!(out, "</body>\n</html>\n")
}

fn table(rows: &Gathered, out: &mut impl Write) -> io::Result<()> {
    let columns = 0..rows.fields().len();
    let classes: Vec<_> = rows
        .fields()
        .iter()
        .map(|field| {
            if is_right_aligned(field.data_type()) {
                " class=\"number\""
            } else {
                ""
            }
        })
        .collect();
    write!(out, "<div class=\"table\">\n<table>\n<thead><tr>")?;
    for (column, class) in columns.zip(&classes) {
        write!(out, "<th{class}>{}</th>", escaped(&rows.name(column)))?;
    }
    write!(out, "</tr></thead>\n<tbody>\n")?;
    for row in &rows.text {
        write!(out, "<tr>")?;
        for (cell, class) in row.iter().zip(&classes) {
            match cell {
                Some(text) => write!(out, "<td{class}>{}</td>", escaped(text))?,
                None => write!(out, "<td{class}><span class=\"note\">NULL</span></td>")?,
            }
        }
        writeln!(out, "</tr>")?;
    }
    write!(out, "</tbody>\n</table>\n</div>\n")?;
    let left_out = rows.row_count - rows.text.len() as u64;
    if left_out > 0 {
        let left_out = grouped(&left_out.to_string());
        writeln!(
            out,
            "<p class=\"note\">{left_out} more rows not in the table</p>"
        )?;
    }
    Ok(())
}
