//! The records of a block of JSON: where the members that are read stand, and columns from them.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{ArrayRef, PrimitiveArray, new_null_array};

use super::columns::{Item, build, member_of, scalar, within};
use super::{MISSING, MemberMatcher, compact, is_valid, members};
use crate::arch::{self, Simd, Work};
use crate::columns::{Fields, Misfits};
use crate::field::Misfit;
use crate::format::{Format, Shape};
use crate::offsets::{Offsets, Scan};
use crate::record::Block;
use crate::reject::Reason;
use crate::table::{ColumnSource, Table};

/// What is looked for in the records of a JSON format.
#[derive(Debug)]
pub(crate) struct JsonRecords {
    /// Columns of the format that are read. In the matrix, each is two fields: the gap before its
    /// value, and the value.
    read: Vec<usize>,
    /// Finds their members, and after them those that tell an object that is no record.
    matcher: MemberMatcher,
    /// Where it found them in one record.
    spans: Vec<(u32, u32)>,
}

impl JsonRecords {
    /// For reading these columns; None if the format is not JSON.
    pub(crate) fn new(table: &Table, sources: &[ColumnSource]) -> Option<Self> {
        let format = &table.format;
        let Shape::Json { skip, .. } = &format.shape else {
            return None;
        };
        let is_read = |column: usize| {
            sources.iter().any(|source| match source {
                ColumnSource::Format(index) => *index == column,
                ColumnSource::EventTime => format.event_time.iter().any(|path| path[0] == column),
                ColumnSource::Member(member) => table.way(*member)[0] == column,
                _ => false,
            })
        };
        let read: Vec<usize> = (0..format.columns.len())
            .filter(|&column| is_read(column))
            .collect();
        let names = read
            .iter()
            .map(|&column| format.columns[column].field.as_ref());
        let names: Vec<&str> = names.chain(skip.iter().map(String::as_str)).collect();
        Some(Self {
            spans: vec![MISSING; names.len()],
            matcher: MemberMatcher::new(&names),
            read,
        })
    }

    /// Finds the members of every record of a block.
    pub(crate) fn scan(&mut self, offsets: &mut Offsets, block: &Block) -> Scan {
        offsets.begin(2 * self.read.len() + 1);
        arch::run(Find {
            records: self,
            offsets,
            block,
        })
    }

    /// Builds a column.
    pub(crate) fn build(
        &self,
        table: &Table,
        source: ColumnSource,
        fields: &Fields<'_>,
        misfits: &mut Misfits,
    ) -> ArrayRef {
        let format = &table.format;
        match source {
            ColumnSource::Format(column) => build(
                &format.columns[column],
                &self.items(column, fields),
                fields,
                misfits,
            ),
            ColumnSource::EventTime => {
                let times = self.event_time(format, fields, misfits);
                let times = PrimitiveArray::<TimestampMicrosecondType>::from_iter(times);
                Arc::new(times.with_timezone(Arc::clone(&table.zone)))
            }
            ColumnSource::Extra => extra(format, fields, misfits),
            ColumnSource::Member(member) => {
                let built = self.build_members(table, &[table.way(member)], fields, misfits);
                let missing = || new_null_array(table.field(source).data_type(), 0);
                built.into_iter().next().unwrap_or_else(missing)
            }
            ColumnSource::Unknown(_) | ColumnSource::Line | ColumnSource::Origin(_) => {
                new_null_array(table.field(source).data_type(), fields.offsets.records())
            }
        }
    }

    /// Builds columns that lie within one column, each given by the way to it, in one walk over
    /// its values.
    pub(crate) fn build_members(
        &self,
        table: &Table,
        ways: &[&[usize]],
        fields: &Fields<'_>,
        misfits: &mut Misfits,
    ) -> Vec<ArrayRef> {
        let Some(&top) = ways.first().and_then(|way| way.first()) else {
            return Vec::new();
        };
        let columns = &table.format.columns[top].columns;
        let inner: Vec<&[usize]> = ways.iter().map(|way| &way[1..]).collect();
        within(columns, &inner, &self.items(top, fields), fields, misfits)
    }

    /// The value of a column in every record.
    fn items(&self, column: usize, fields: &Fields<'_>) -> Vec<Item> {
        let Some(slot) = self.read.iter().position(|&read| read == column) else {
            return Vec::new();
        };
        let spans = fields.offsets.field(2 * slot + 1).enumerate();
        let item = |(record, (start, end))| Item {
            record,
            span: (start < end && &fields.block[start..end] != fields.null).then_some((start, end)),
        };
        spans.map(item).collect()
    }

    /// Microseconds since 1970: of the first of the format's columns that a record has.
    fn event_time(
        &self,
        format: &Format,
        fields: &Fields<'_>,
        misfits: &mut Misfits,
    ) -> Vec<Option<i64>> {
        let mut times = vec![None; fields.offsets.records()];
        let mut given = vec![false; times.len()];
        for path in &format.event_time {
            let mut items = self.items(path[0], fields);
            items.retain(|item| !given[item.record] && item.span.is_some());
            for depth in 2..=path.len() {
                if let Some(column) = format.column_at(&path[..depth]) {
                    items = member_of(&items, column, fields);
                }
            }
            let Some(column) = format.column_at(path) else {
                continue;
            };
            for item in items {
                let Some(span) = item.span else {
                    continue;
                };
                given[item.record] = true;
                match column.kind.micros(scalar(&fields.block[span.0..span.1])) {
                    Ok(micros) => times[item.record] = Some(micros),
                    Err(misfit) => misfits.push((item.record, misfit)),
                }
            }
        }
        times
    }
}

/// Finding the members of a block's records, for each instruction set.
struct Find<'a> {
    records: &'a mut JsonRecords,
    offsets: &'a mut Offsets,
    block: &'a Block,
}

impl Work for Find<'_> {
    type Output = Scan;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Scan {
        let JsonRecords {
            read,
            matcher,
            spans,
        } = self.records;
        let bytes = self.block.bytes.as_slice();
        let mut scan = Scan {
            records: self.block.spans.len() as u64,
            ..Scan::default()
        };
        for record in &self.block.spans {
            let range = record.start as usize..record.end as usize;
            if let Err(error) = matcher.find_with(simd, bytes, range, spans) {
                let reason = Reason::Json {
                    expected: error.expected,
                };
                scan.rejects
                    .push((record.line, record.start, record.end, reason));
                continue;
            }
            let (read, control) = spans.split_at(read.len());
            if control.iter().any(|(start, end)| start < end) {
                scan.skipped += 1;
                continue;
            }
            for &(start, end) in read {
                let missing = [record.end, record.end];
                self.offsets.ends.extend(if start < end {
                    [start - 1, end]
                } else {
                    missing
                });
            }
            self.offsets.ends.push(record.end);
            self.offsets.push(record.start as usize, record.line);
        }
        scan
    }
}

/// Members that are no column, as a JSON object; NULL where there are none.
fn extra(format: &Format, fields: &Fields<'_>, misfits: &mut Misfits) -> ArrayRef {
    let records = fields.offsets.records();
    let mut builder = StringViewBuilder::with_capacity(records);
    let mut object = String::new();
    for record in 0..records {
        let (start, end, _) = fields.offsets.record(record);
        object.clear();
        let mut misfit = None;
        for member in members(fields.block, start..end).flatten() {
            let key = String::from_utf8_lossy(&fields.block[member.key]);
            let value = &fields.block[member.value];
            if format.has_field(&key) || value == fields.null {
                continue;
            }
            if !is_valid(value) {
                misfit = Some(Misfit::NotJson);
                continue;
            }
            let value = compact(value);
            let text = String::from_utf8_lossy(&value);
            if matches!(key, Cow::Owned(_)) || matches!(text, Cow::Owned(_)) {
                misfit = Some(Misfit::NotUtf8);
            }
            object.push(if object.is_empty() { '{' } else { ',' });
            object.extend(["\"", &key, "\":", &text]);
        }
        misfits.extend(misfit.map(|misfit| (record, misfit)));
        if object.is_empty() {
            builder.append_null();
        } else {
            object.push('}');
            builder.append_value(&object);
        }
    }
    Arc::new(builder.finish())
}
