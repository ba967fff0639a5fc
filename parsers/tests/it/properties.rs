//! What holds for every log.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow_array::{Array, BooleanArray, RecordBatch, StringViewArray, cast::AsArray};
use arrow_schema::{ArrowError, DataType};
use arrow_select::filter::filter_record_batch;
use loglens_parsers::format::{Format, by_name};
use loglens_parsers::layout::Layout;
use loglens_parsers::oracle::{self, Record, Value};
use loglens_parsers::parse::RowFilter;
use loglens_parsers::reject::{EXCERPT_BYTES, Reject, RejectKind};
use loglens_parsers::table::ColumnSource;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::logs::{BYTE_ORDER_MARK, Cell, any_cell, any_format, any_log, kind_of};
use crate::reader::{Reader, Reading, cell, gzip, zstd};
use crate::vpc;

proptest! {
    #[test]
    fn the_parser_equals_the_plain_one(log in any_log(), blocks in block_bytes()) {
        let layout = Layout::default_of(&log.format);
        let expected = oracle::records(&log.format, layout, &log.bytes);
        let found = Reader::new(&log.format).in_blocks_of(blocks).read_plain(&log.bytes);
        prop_assert_eq!(found.counts.records, expected.len() as u64);
        prop_assert_eq!(as_records(&log.format, &found, expected.len()), expected);
    }

    #[test]
    fn cutting_anywhere_changes_nothing(
        log in any_log(),
        sizes in vec(1..200_usize, 1..8),
        blocks in block_bytes(),
        cut_off in any::<bool>(),
    ) {
        let whole = Reader::new(&log.format);
        let pieces = whole.clone().in_pieces(&sizes).in_blocks_of(blocks);
        let read = |reader: &Reader| {
            if cut_off { reader.read_cut_off(&log.bytes) } else { reader.read_plain(&log.bytes) }
        };
        let (whole, pieces) = (read(&whole), read(&pieces));
        prop_assert_eq!(pieces.batch(), whole.batch());
        prop_assert_eq!(pieces.counts, whole.counts);
        prop_assert_eq!(pieces.sorted_rejects(), whole.sorted_rejects());
    }

    #[test]
    fn ranges_in_several_threads_change_nothing(
        log in any_log(),
        range_bytes in prop_oneof![1..40_usize, 1..3000_usize],
        cut_off in any::<bool>(),
    ) {
        let reader = Reader::new(&log.format);
        let missing = u64::from(cut_off);
        let ranges = reader.read_ranges(&log.bytes, range_bytes, log.bytes.len() as u64 + missing);
        let whole = match cut_off {
            true => reader.read_cut_off(&log.bytes),
            false => reader.read_plain(&log.bytes),
        };
        prop_assert_eq!(ranges.batch(), whole.batch());
        prop_assert_eq!(ranges.counts, whole.counts);
        prop_assert_eq!(ranges.sorted_rejects(), whole.sorted_rejects());
    }

    #[test]
    fn the_order_of_the_fields_changes_nothing(table in any_plain_log()) {
        let order: Vec<usize> = (0..table.names.len()).collect();
        let reader = Reader::new(&table.format);
        let before = reader.read_plain(&table.render(&order));
        let after = reader.read_plain(&table.render(&table.order));
        let columns: Vec<usize> = (0..reader.columns())
            .filter(|&column| column != reader.index_of(ColumnSource::Extra))
            .collect();
        prop_assert_eq!(after.batch().project(&columns)?, before.batch().project(&columns)?);
        prop_assert_eq!(extra(&after), extra(&before));
        prop_assert_eq!(after.counts, before.counts);
        prop_assert_eq!(after.reasons(), before.reasons());
    }

    #[test]
    fn every_frame_gives_the_same(
        log in any_log(),
        cuts in vec(any::<Index>(), 0..4),
        sizes in vec(1..100_usize, 1..5),
        blocks in block_bytes(),
    ) {
        let reader = Reader::new(&log.format);
        let plain = reader.read_plain(&log.bytes);
        let parts = split(&log.bytes, &cuts);
        let members: Vec<u8> = parts.iter().flat_map(|part| gzip(part)).collect();
        let frames: Vec<u8> = parts.iter().flat_map(|part| zstd(part)).collect();
        let reader = reader.in_pieces(&sizes).in_blocks_of(blocks);
        for object in [gzip(&log.bytes), zstd(&log.bytes), members, frames] {
            let framed = reader.read(&object);
            prop_assert_eq!(&framed.damage, &None);
            prop_assert_eq!(framed.batch(), plain.batch());
            prop_assert_eq!(framed.counts, plain.counts);
            prop_assert_eq!(framed.sorted_rejects(), plain.sorted_rejects());
        }
        let carriage_returns = reader.read(&gzip(&with_carriage_returns(&log.bytes)));
        prop_assert_eq!(carriage_returns.batch(), plain.batch());
        prop_assert_eq!(carriage_returns.counts, plain.counts);
        prop_assert_eq!(carriage_returns.reasons(), plain.reasons());
    }

    #[test]
    fn a_truncated_object_gives_what_was_whole(
        log in any_log(),
        end in any::<Index>(),
        sizes in vec(1..100_usize, 1..5),
        blocks in block_bytes(),
        compress in select(vec![gzip as fn(&[u8]) -> Vec<u8>, zstd]),
    ) {
        let object = compress(&log.bytes);
        let object = &object[..end.index(object.len())];
        let whole = Reader::new(&log.format).read(object);
        let pieces = Reader::new(&log.format).in_pieces(&sizes).in_blocks_of(blocks).read(object);
        prop_assert_eq!(pieces.batch(), whole.batch());
        prop_assert_eq!(pieces.counts, whole.counts);
        prop_assert_eq!(pieces.sorted_rejects(), whole.sorted_rejects());
    }

    #[test]
    fn every_line_is_accounted_for(log in any_log(), blocks in block_bytes(), rule in any_rule()) {
        let lines = lines(&log.bytes).len() as u64;
        let reader = Reader::new(&log.format).in_blocks_of(blocks);
        let all = reader.read_plain(&log.bytes);
        prop_assert!(all.counts.add_up());
        prop_assert_eq!(all.counts.records, lines);
        prop_assert_eq!(all.counts.filtered, 0);
        prop_assert_eq!(all.counts.rejects, all.rejects_of(RejectKind::Record).len() as u64);
        prop_assert_eq!(all.counts.values, all.rejects_of(RejectKind::Value).len() as u64);
        let some = reader.read_filtered(&log.bytes, &mut TestFilter::new(&reader, &rule));
        prop_assert!(some.counts.add_up());
        prop_assert_eq!(some.counts.records, lines);
        prop_assert_eq!(some.counts.rows + some.counts.filtered, all.counts.rows);
    }

    #[test]
    fn filtering_first_equals_filtering_afterwards(
        log in any_log(),
        blocks in block_bytes(),
        rule in any_rule(),
        projection in vec(any::<Index>(), 0..20),
    ) {
        let reader = Reader::new(&log.format).in_blocks_of(blocks);
        let projection = indexes(&projection, reader.columns());
        let mut row_filter = TestFilter::new(&reader, &rule);
        let all = reader.read_plain(&log.bytes).batch();
        let mask = row_filter.keep(&all.project(&row_filter.columns)?)?;
        let expected = filter_record_batch(&all, &mask)?.project(&projection)?;
        let found = reader.projecting(&projection).read_filtered(&log.bytes, &mut row_filter);
        prop_assert_eq!(found.batch(), expected);
    }

    #[test]
    fn any_projection_is_a_selection(
        log in any_log(),
        blocks in block_bytes(),
        projection in vec(any::<Index>(), 0..20),
    ) {
        let reader = Reader::new(&log.format)
            .with_unknown(&["brand-new".to_owned(), "zone".to_owned()])
            .in_blocks_of(blocks);
        let projection = indexes(&projection, reader.columns());
        let all = reader.read_plain(&log.bytes);
        let some = reader.projecting(&projection).read_plain(&log.bytes);
        prop_assert_eq!(some.batch(), all.batch().project(&projection)?);
        // `event_time` reads `start`, and `end` where a header lacks that: the latter is left out
        // of the comparison, since headers change on the way.
        let projected = |name: &str| some.batch().column_by_name(name).is_some();
        let is_read = |name: &str| projected(name) || (name == "start" && projected("event_time"));
        let is_compared = |name: &str| name != "end" || projected("end");
        let wanted: Vec<Reject> = all
            .sorted_rejects()
            .into_iter()
            .filter(|reject| reject.column.as_ref().is_none_or(|name| is_read(name) && is_compared(name)))
            .collect();
        let found: Vec<Reject> = some
            .sorted_rejects()
            .into_iter()
            .filter(|reject| reject.column.as_ref().is_none_or(|name| is_compared(name)))
            .collect();
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn examining_everything_does_not_depend_on_what_is_asked(
        log in any_log(),
        blocks in block_bytes(),
        rule in any_rule(),
        projection in vec(any::<Index>(), 0..5),
    ) {
        let reader = Reader::new(&log.format).in_blocks_of(blocks);
        let expected = reader.read_plain(&log.bytes);
        let reader = reader.examining_everything();
        let all = reader.read_plain(&log.bytes);
        let mut row_filter = TestFilter::new(&reader, &rule);
        let projection = indexes(&projection, reader.columns());
        let some = reader.projecting(&projection).read_filtered(&log.bytes, &mut row_filter);
        for found in [&all, &some] {
            prop_assert_eq!(found.sorted_rejects(), expected.sorted_rejects());
            prop_assert_eq!(found.counts.values, expected.counts.values);
        }
        let mut seen = HashSet::new();
        for reject in expected.rejects_of(RejectKind::Value) {
            prop_assert!(seen.insert((reject.line, reject.column.clone())), "twice: {:?}", reject);
        }
    }

    #[test]
    fn views_are_sound(log in any_log(), blocks in block_bytes(), rule in any_rule()) {
        let reader = Reader::new(&log.format).with_unknown(&["zone".to_owned()]).in_blocks_of(blocks);
        let all = reader.read_plain(&log.bytes);
        let some = reader.read_filtered(&log.bytes, &mut TestFilter::new(&reader, &rule));
        for batch in all.batches.iter().chain(&some.batches) {
            for column in batch.columns() {
                if let Some(column) = column.as_string_view_opt() {
                    let (views, buffers, nulls) = column.clone().into_parts();
                    let checked = StringViewArray::try_new(views, buffers, nulls);
                    prop_assert!(checked.is_ok(), "{:?}", checked);
                }
            }
        }
    }

    #[test]
    fn rejects_point_at_their_records(log in any_log(), blocks in block_bytes(), cut_off in any::<bool>()) {
        let reader = Reader::new(&log.format).in_blocks_of(blocks);
        let found = if cut_off { reader.read_cut_off(&log.bytes) } else { reader.read_plain(&log.bytes) };
        let lines = lines(&log.bytes);
        for reject in &found.rejects {
            let (offset, line) = lines[reject.line as usize - 1];
            prop_assert_eq!(reject.offset, offset as u64, "{:?}", reject);
            let start = &line[..line.len().min(EXCERPT_BYTES)];
            prop_assert_eq!(&reject.excerpt, &String::from_utf8_lossy(start));
        }
    }

    #[test]
    fn fewer_rejects_may_be_kept_and_all_are_counted(log in any_log(), keep in 0..5_usize) {
        let reader = Reader::new(&log.format);
        let all = reader.read_plain(&log.bytes);
        let few = reader.keeping(keep).read_plain(&log.bytes);
        prop_assert_eq!(few.counts, all.counts);
        prop_assert_eq!(few.batch(), all.batch());
        let all = all.sorted_rejects();
        prop_assert!(few.rejects.iter().all(|reject| all.contains(reject)));
    }
}

#[test]
fn what_was_in_memory_before_is_no_part_of_an_object() {
    let reader = Reader::new(by_name("vpc_flow_logs").unwrap());
    for text in ["", "x", "\n"] {
        let ranges = reader.read_ranges(text.as_bytes(), 1000, text.len() as u64);
        assert_eq!(ranges.counts, reader.read_plain(text.as_bytes()).counts);
    }
}

#[test]
fn few_rows_do_not_hold_on_to_their_block() {
    let row = "2 1 eni-of-more-than-12-bytes 10.0.0.1 10.0.0.2 1 2 6 1 40 1418530010 1418530070 ACCEPT OK\n";
    let log = row.repeat(10_000).into_bytes();
    let reader = Reader::new(&vpc());
    let mut row_filter = TestFilter {
        columns: vec![reader.index_of(ColumnSource::Line)],
        rule: Rule::FirstLine,
    };
    let found = reader
        .projecting(&[2, 2])
        .read_filtered(&log, &mut row_filter);
    let batch = found.batch();
    assert_eq!(batch.num_rows(), 1);
    assert!(
        batch.get_array_memory_size() < 10_000,
        "{}",
        batch.get_array_memory_size()
    );
}

/// Sizes of blocks, most of them so small that an object has many.
fn block_bytes() -> impl Strategy<Value = usize> {
    prop_oneof![3 => 1..2_000_usize, 1 => Just(1 << 20)]
}

fn indexes(choices: &[Index], among: usize) -> Vec<usize> {
    choices.iter().map(|choice| choice.index(among)).collect()
}

/// `bytes` in parts that begin at some of its places.
fn split<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut cuts = indexes(cuts, bytes.len() + 1);
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|ends| &bytes[ends[0]..ends[1]])
        .collect()
}

/// The same lines, each ended by CRLF.
fn with_carriage_returns(bytes: &[u8]) -> Vec<u8> {
    let mut converted = Vec::new();
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        match line.strip_suffix(b"\n") {
            None => converted.extend(line),
            Some(line) => {
                converted.extend(line.strip_suffix(b"\r").unwrap_or(line));
                converted.extend(b"\r\n");
            }
        }
    }
    converted
}

/// The lines of an object with their offsets, without their ends.
fn lines(bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let mut offset = if bytes.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    };
    let mut lines = Vec::new();
    for line in bytes[offset..].split_inclusive(|&byte| byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        lines.push((offset, text.strip_suffix(b"\r").unwrap_or(text)));
        offset += line.len();
    }
    lines
}

/// What the plain parser would have said, told from rows and rejects.
fn as_records(format: &Format, reading: &Reading, lines: usize) -> Vec<Record> {
    let mut records = vec![Record::Skipped; lines];
    let mut misfits: BTreeMap<u64, u64> = BTreeMap::new();
    for reject in &reading.rejects {
        match &reject.column {
            None => records[reject.line as usize - 1] = Record::Reject,
            Some(column) if format.column(column).is_some() => {
                *misfits.entry(reject.line).or_default() += 1;
            }
            Some(_) => {}
        }
    }
    let batch = reading.batch();
    let numbers = batch.column_by_name("$line").unwrap();
    for row in 0..batch.num_rows() {
        let line: u64 = cell(numbers, row).unwrap().parse().unwrap();
        let values = (0..format.columns.len()).map(|column| value(batch.column(column), row));
        let misfits = misfits.get(&line).copied().unwrap_or(0);
        let record = &mut records[line as usize - 1];
        assert_eq!(
            *record,
            Record::Skipped,
            "line {line} is a row and something else"
        );
        *record = Record::Row(values.collect(), misfits);
    }
    records
}

fn value(column: &dyn Array, row: usize) -> Value {
    match cell(column, row) {
        None => Value::Null,
        Some(text) if column.as_string_view_opt().is_some() => Value::Text(text),
        Some(number) if *column.data_type() == DataType::Float64 => {
            Value::Number(number.parse().unwrap())
        }
        Some(digits) => Value::Integer(digits.parse().unwrap()),
    }
}

/// The `extra` column without the order of its members.
fn extra(reading: &Reading) -> Vec<Option<serde_json::Value>> {
    let json = |text: String| serde_json::from_str(&text).unwrap();
    reading
        .column("extra")
        .into_iter()
        .map(|text| text.map(json))
        .collect()
}

/// A rule of which rows to keep.
#[derive(Debug, Clone)]
enum Rule {
    EvenLines,
    FirstLine,
    /// By the values of some columns; NULL where one is NULL.
    Values(Vec<Index>, u64),
    Nothing,
    Everything,
}

fn any_rule() -> impl Strategy<Value = Rule> {
    prop_oneof![
        1 => Just(Rule::EvenLines),
        1 => Just(Rule::FirstLine),
        5 => (vec(any::<Index>(), 1..4), 1..8_u64).prop_map(|(columns, one_in)| Rule::Values(columns, one_in)),
        1 => Just(Rule::Nothing),
        1 => Just(Rule::Everything),
    ]
}

struct TestFilter {
    columns: Vec<usize>,
    rule: Rule,
}

impl TestFilter {
    fn new(reader: &Reader, rule: &Rule) -> Self {
        let columns = match rule {
            Rule::EvenLines | Rule::FirstLine => vec![reader.index_of(ColumnSource::Line)],
            Rule::Values(columns, _) => indexes(columns, reader.columns()),
            Rule::Nothing | Rule::Everything => Vec::new(),
        };
        Self {
            columns,
            rule: rule.clone(),
        }
    }

    fn keeps(&self, values: &[Option<String>]) -> Option<bool> {
        match &self.rule {
            Rule::EvenLines => values[0]
                .as_ref()
                .map(|line| line.ends_with(['0', '2', '4', '6', '8'])),
            Rule::FirstLine => Some(values[0].as_deref() == Some("1")),
            Rule::Values(_, one_in) => {
                let mut sum = 0;
                for value in values {
                    sum += value.as_ref()?.bytes().map(u64::from).sum::<u64>();
                }
                Some(sum % one_in == 0)
            }
            Rule::Nothing => Some(false),
            Rule::Everything => Some(true),
        }
    }
}

impl RowFilter for TestFilter {
    fn columns(&self) -> &[usize] {
        &self.columns
    }

    fn keep(&mut self, batch: &RecordBatch) -> Result<BooleanArray, ArrowError> {
        let row = |row| {
            batch
                .columns()
                .iter()
                .map(|column| cell(column, row))
                .collect::<Vec<_>>()
        };
        let verdicts: Vec<_> = (0..batch.num_rows())
            .map(|at| self.keeps(&row(at)))
            .collect();
        // What stands behind a NULL may be true, and must not count.
        let values = verdicts
            .iter()
            .map(|verdict| verdict.unwrap_or(true))
            .collect();
        let nulls = verdicts.iter().map(Option::is_some).collect();
        Ok(BooleanArray::new(values, Some(nulls)))
    }
}

/// A log with one header, of which the fields can be put into another order.
#[derive(Debug, Clone)]
struct PlainLog {
    format: Arc<Format>,
    names: Vec<String>,
    rows: Vec<Option<Vec<Vec<u8>>>>,
    order: Vec<usize>,
}

impl PlainLog {
    /// The log with its fields in this order; a row that is None is the header again.
    fn render(&self, order: &[usize]) -> Vec<u8> {
        let names: Vec<Vec<u8>> = self
            .names
            .iter()
            .map(|name| name.clone().into_bytes())
            .collect();
        let mut bytes = Vec::new();
        for row in [&None].into_iter().chain(&self.rows) {
            let row = row.as_ref().unwrap_or(&names);
            let fields: Vec<&[u8]> = order.iter().map(|&field| row[field].as_slice()).collect();
            bytes.extend(fields.join(&b' '));
            bytes.push(b'\n');
        }
        bytes
    }
}

fn any_plain_log() -> impl Strategy<Value = PlainLog> {
    let columns = Just((0..64).collect::<Vec<usize>>()).prop_shuffle();
    let rows = vec(prop::option::weighted(0.9, vec(any_cell(), 1..20)), 0..20);
    (any_format(), columns, 3..64_usize, any::<bool>(), rows)
        .prop_flat_map(|(format, mut columns, width, newer, rows)| {
            columns.retain(|&column| column < format.columns.len());
            columns.truncate(width);
            let column_names = columns
                .iter()
                .map(|&column| format.columns[column].name.replace('_', "-"));
            let names: Vec<String> = column_names
                .chain(newer.then(|| "brand-new".to_owned()))
                .collect();
            let order = Just((0..names.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just((format, names, rows)), order)
        })
        .prop_map(|((format, names, cells), order)| {
            let rows = cells
                .into_iter()
                .map(|cells| Some(fields(&format, &names, &cells?)))
                .collect();
            PlainLog {
                format,
                names,
                rows,
                order,
            }
        })
}

/// A row of one field for each name.
fn fields(format: &Format, names: &[String], cells: &[Cell]) -> Vec<Vec<u8>> {
    names
        .iter()
        .zip(cells.iter().cycle())
        .map(|(name, cell)| cell.render(kind_of(format, name)))
        .map(|field| {
            if depends_on_its_place(&field) {
                b"-".to_vec()
            } else {
                field
            }
        })
        .collect()
}

/// The end of a line takes a carriage return from its last field; a name makes a header of a line
/// that begins with it.
fn depends_on_its_place(field: &[u8]) -> bool {
    field.ends_with(b"\r") || field == b"version"
}
