//! Tests of one field's bytes.

use std::collections::HashSet;
use std::fmt;
use std::ops::RangeInclusive;

use memchr::memmem::Finder;

use super::Cidr;
use crate::columns::{Fields, Misfits};
use crate::field::parts::Part;
use crate::field::{self, Kind, Misfit};
use crate::format::Shape;
use crate::table::{ColumnSource, Table};

/// A test of one column, asked about the bytes of its field.
#[derive(Debug, Clone)]
pub struct FieldPredicate {
    pub(crate) source: ColumnSource,
    test: FieldTest,
}

impl FieldPredicate {
    /// The test of a column of `table`; None if it cannot be asked about bytes: the format is
    /// JSON, the column is not one field, or its values are not of the type that is tested.
    pub fn new(table: &Table, source: ColumnSource, test: FieldTest) -> Option<Self> {
        if matches!(table.format.shape, Shape::Json { .. }) {
            return None;
        }
        let is_integer = match source {
            ColumnSource::Format(column) => match table.format.columns[column].kind {
                Kind::Int32 | Kind::Int64 | Kind::UnixSeconds | Kind::PortOfPair => true,
                Kind::Float64 | Kind::Json | Kind::Struct | Kind::List => return None,
                _ => false,
            },
            ColumnSource::Unknown(_) => false,
            ColumnSource::EventTime => true,
            ColumnSource::Extra
            | ColumnSource::Line
            | ColumnSource::Origin(_)
            | ColumnSource::Member(_) => return None,
        };
        let fits = match test {
            FieldTest::IsNull | FieldTest::IsNotNull => true,
            FieldTest::Text(..) => !is_integer,
            FieldTest::Integer(_) => is_integer,
        };
        fits.then_some(Self { source, test })
    }

    /// The column.
    pub fn source(&self) -> ColumnSource {
        self.source
    }

    /// What is asked of it.
    pub fn test(&self) -> &FieldTest {
        &self.test
    }

    /// Takes out of `wanted` (one flag a record) the records that do not pass. `place` is the
    /// field's position and how it is read; None where the records do not have it.
    pub(crate) fn ask(
        &self,
        fields: &Fields<'_>,
        place: Option<(usize, Kind)>,
        wanted: &mut [bool],
        misfits: &mut Misfits,
    ) {
        let Some((position, kind)) = place else {
            if !matches!(self.test, FieldTest::IsNull) {
                wanted.fill(false);
            }
            return;
        };
        let mut question = Question {
            predicate: self,
            fields,
            position,
            wanted,
            misfits,
        };
        match (self.source, kind) {
            (ColumnSource::EventTime, _) => {
                question.integer(|block, start, end| kind.micros_at(block, start, end));
            }
            (_, Kind::Int32) => question
                .integer(|block, start, end| field::int32_at(block, start, end).map(i64::from)),
            (_, Kind::PortOfPair) => question
                .integer(|block, start, end| field::pair_port(&block[start..end]).map(i64::from)),
            (_, Kind::Int64) => question.integer(field::int64_at),
            (_, Kind::UnixSeconds) => question.integer(field::unix_seconds_at),
            (_, Kind::Raw) => {
                let fields = Fields {
                    enclosing: &[],
                    ..*fields
                };
                question.fields = &fields;
                question.text(kind.text_part());
            }
            _ => question.text(kind.text_part()),
        }
    }
}

/// A predicate at work on one block.
struct Question<'a> {
    predicate: &'a FieldPredicate,
    fields: &'a Fields<'a>,
    position: usize,
    wanted: &'a mut [bool],
    misfits: &'a mut Misfits,
}

impl Question<'_> {
    /// `value(block, start, end)` reads a field.
    #[inline(always)]
    fn integer(&mut self, value: impl Fn(&[u8], usize, usize) -> Result<i64, Misfit>) {
        let (test, block) = (&self.predicate.test, self.fields.block.as_slice());
        self.each(|_, (start, end)| match (value(block, start, end), test) {
            (Ok(value), FieldTest::Integer(ranges)) => {
                let passes = ranges.iter().any(|range| range.contains(&value));
                (Some(passes), None)
            }
            (Ok(_), _) => (Some(true), None),
            (Err(misfit), _) => (None, Some(misfit)),
        });
    }

    fn text(&mut self, part: fn(&[u8]) -> Part) {
        let (test, utf8) = (&self.predicate.test, self.fields.utf8);
        let passes = |text: &[u8]| match test {
            FieldTest::Text(test, wanted) => test.passes(text) == *wanted,
            _ => true,
        };
        self.each(|bytes, _| match part(bytes) {
            Ok(None) => (None, None),
            Err(misfit) => (None, Some(misfit)),
            Ok(Some(part)) => {
                let text = &bytes[part];
                if utf8 || std::str::from_utf8(text).is_ok() {
                    return (Some(passes(text)), None);
                }
                // As the column has it.
                let mended = String::from_utf8_lossy(text);
                (Some(passes(mended.as_bytes())), Some(Misfit::NotUtf8))
            }
        });
    }

    /// Asks about every field that is wanted: `passes` says whether its value passes (None is
    /// NULL), and what did not fit.
    #[inline(always)]
    fn each(&mut self, passes: impl Fn(&[u8], (usize, usize)) -> (Option<bool>, Option<Misfit>)) {
        let null_passes = matches!(self.predicate.test, FieldTest::IsNull);
        let value_passes = !null_passes;
        let spans = self.fields.spans(self.position);
        for (record, (span, wanted)) in spans.zip(self.wanted.iter_mut()).enumerate() {
            if !*wanted {
                continue;
            }
            let bytes = self.fields.bytes(span);
            let value = span.filter(|_| !self.fields.is_null(bytes));
            let (passes, misfit) = value.map_or((None, None), |span| passes(bytes, span));
            self.misfits.extend(misfit.map(|misfit| (record, misfit)));
            *wanted = passes.map_or(null_passes, |passes| passes && value_passes);
        }
    }
}

/// What is asked of a field. NULL and values that do not fit their column pass no test but
/// [`FieldTest::IsNull`].
#[derive(Debug, Clone)]
pub enum FieldTest {
    /// It is NULL.
    IsNull,
    /// It is not NULL.
    IsNotNull,
    /// Its text passes the test, or does not, as the flag says.
    Text(TextTest, bool),
    /// Its integer (for times: microseconds since 1970) lies in one of the ranges.
    Integer(Vec<RangeInclusive<i64>>),
}

/// A test of text.
#[derive(Debug, Clone)]
pub enum TextTest {
    /// It is one of these.
    OneOf(HashSet<Box<[u8]>>),
    /// It is this.
    Equals(Box<[u8]>),
    /// It begins so.
    StartsWith(Box<[u8]>),
    /// It ends so.
    EndsWith(Box<[u8]>),
    /// It contains this.
    Contains(Box<Finder<'static>>),
    /// It is an address in this network. What is no address is in none.
    In(Cidr),
}

impl TextTest {
    /// A test for one of these texts.
    pub fn one_of(mut texts: Vec<Box<[u8]>>) -> Self {
        if texts.len() == 1
            && let Some(text) = texts.pop()
        {
            return Self::Equals(text);
        }
        Self::OneOf(texts.into_iter().collect())
    }

    /// A test for text that stands anywhere.
    pub fn contains(text: &str) -> Self {
        Self::Contains(Box::new(Finder::new(text.as_bytes()).into_owned()))
    }

    #[inline]
    pub(crate) fn passes(&self, text: &[u8]) -> bool {
        match self {
            Self::Equals(wanted) => text == &**wanted,
            Self::OneOf(wanted) => wanted.contains(text),
            Self::StartsWith(prefix) => text.starts_with(prefix),
            Self::EndsWith(suffix) => text.ends_with(suffix),
            Self::Contains(finder) => finder.find(text).is_some(),
            Self::In(cidr) => cidr.contains(text).unwrap_or(false),
        }
    }
}

impl fmt::Display for FieldTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IsNull => f.write_str("is null"),
            Self::IsNotNull => f.write_str("is not null"),
            Self::Text(test, wanted) => {
                f.write_str(if *wanted { "" } else { "not " })?;
                test.fmt(f)
            }
            Self::Integer(ranges) => {
                for (index, range) in ranges.iter().enumerate() {
                    f.write_str(if index > 0 { " or " } else { "" })?;
                    match (*range.start(), *range.end()) {
                        (start, end) if start == end => write!(f, "= {start}")?,
                        (i64::MIN, end) => write!(f, "<= {end}")?,
                        (start, i64::MAX) => write!(f, ">= {start}")?,
                        (start, end) => write!(f, "{start} to {end}")?,
                    }
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for TextTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match self {
            Self::Equals(wanted) => write!(f, "= {}", text(wanted)),
            Self::OneOf(wanted) => {
                let mut texts: Vec<_> = wanted.iter().map(|wanted| text(wanted)).collect();
                texts.sort_unstable();
                write!(f, "in ({})", texts.join(", "))
            }
            Self::StartsWith(prefix) => write!(f, "starts with {}", text(prefix)),
            Self::EndsWith(suffix) => write!(f, "ends with {}", text(suffix)),
            Self::Contains(finder) => write!(f, "contains {}", text(finder.needle())),
            Self::In(cidr) => write!(f, "in {cidr}"),
        }
    }
}
