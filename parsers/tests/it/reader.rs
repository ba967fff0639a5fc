//! The way of an object through the crate, as its callers go it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::Write;
use std::sync::Arc;
use std::thread;

use arrow_array::types::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch, cast::AsArray};
use arrow_schema::{DataType, SchemaRef};
use arrow_select::concat::concat_batches;
use loglens_parsers::filter::{FieldPredicate, Literals};
use loglens_parsers::format::Format;
use loglens_parsers::frame::{Decoder, ExpansionLimit, Frame, FrameError};
use loglens_parsers::layout::Layout;
use loglens_parsers::parse::{Examine, ParseOptions, Parser, RowFilter};
use loglens_parsers::record::{BLOCK_BYTES, Block, BlockPool, Cutter, LineRanges};
use loglens_parsers::reject::{Counts, Reject, RejectKind};
use loglens_parsers::table::{ColumnSource, Table};

/// How an object is read: every column, as one piece, unless it is told otherwise.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) table: Arc<Table>,
    layout: Arc<Layout>,
    projection: Vec<usize>,
    options: ParseOptions,
    block_bytes: usize,
    pieces: Vec<usize>,
    limit: ExpansionLimit,
    literals: Option<Literals>,
    predicates: Vec<FieldPredicate>,
}

/// What reading an object gave.
pub(crate) struct Reading {
    schema: SchemaRef,
    pub(crate) batches: Vec<RecordBatch>,
    pub(crate) counts: Counts,
    pub(crate) rejects: Vec<Reject>,
    /// Why the object could not be decoded to its end.
    pub(crate) damage: Option<FrameError>,
}

impl Reader {
    pub(crate) fn new(format: &Arc<Format>) -> Self {
        let table = Arc::new(Table::new(Arc::clone(format), []));
        Self {
            projection: (0..table.sources().count()).collect(),
            table,
            layout: Arc::new(Layout::default_of(format)),
            options: ParseOptions::default(),
            block_bytes: BLOCK_BYTES,
            pieces: vec![usize::MAX],
            limit: ExpansionLimit::default(),
            literals: None,
            predicates: Vec::new(),
        }
    }

    /// The same with columns for field names that the format does not have.
    pub(crate) fn with_unknown(mut self, names: &[String]) -> Self {
        let format = Arc::clone(&self.table.format);
        self.table = Arc::new(Table::new(format, names.iter().cloned()));
        self.projection = (0..self.columns()).collect();
        self
    }

    /// The same with records without a header in this order.
    pub(crate) fn given(mut self, fields: &[String]) -> Self {
        self.layout = Arc::new(Layout::given(&self.table.format, fields));
        self
    }

    pub(crate) fn projecting(mut self, columns: &[usize]) -> Self {
        self.projection = columns.to_vec();
        self
    }

    pub(crate) fn examining_everything(mut self) -> Self {
        self.options.examine = Examine::Everything;
        self
    }

    pub(crate) fn keeping(mut self, rejects: usize) -> Self {
        self.options.keep_rejects = rejects;
        self
    }

    pub(crate) fn in_blocks_of(mut self, bytes: usize) -> Self {
        self.block_bytes = bytes;
        self
    }

    /// The same with the object arriving in pieces of these sizes, over and over.
    pub(crate) fn in_pieces(mut self, sizes: &[usize]) -> Self {
        self.pieces = sizes.to_vec();
        self
    }

    pub(crate) fn within(mut self, limit: ExpansionLimit) -> Self {
        self.limit = limit;
        self
    }

    /// The same, passing over records that hold none of the literals.
    pub(crate) fn searching(mut self, literals: Option<Literals>) -> Self {
        self.literals = literals;
        self
    }

    /// The same with only the rows that pass these.
    pub(crate) fn testing(mut self, predicates: &[FieldPredicate]) -> Self {
        self.predicates = predicates.to_vec();
        self
    }

    /// How many columns the table has.
    pub(crate) fn columns(&self) -> usize {
        self.table.sources().count()
    }

    pub(crate) fn index_of(&self, source: ColumnSource) -> usize {
        self.table.index_of(source)
    }

    /// Reads an object in whatever frame its first bytes announce.
    pub(crate) fn read(&self, object: &[u8]) -> Reading {
        let (blocks, damage) = self.decode(object);
        Reading {
            damage,
            ..self.parse(&blocks, None)
        }
    }

    /// Reads bytes as they are, whatever they look like.
    pub(crate) fn read_plain(&self, bytes: &[u8]) -> Reading {
        self.parse(&self.cut(bytes, false), None)
    }

    /// Reads bytes that break off at their end.
    pub(crate) fn read_cut_off(&self, bytes: &[u8]) -> Reading {
        self.parse(&self.cut(bytes, true), None)
    }

    /// Reads lines range by range with several threads. They break off at their end if there
    /// should be more bytes.
    pub(crate) fn read_ranges(&self, bytes: &[u8], range_bytes: usize, expected: u64) -> Reading {
        let (format, layout) = (Arc::clone(&self.table.format), Arc::clone(&self.layout));
        // Memory that was used before, with the worst that can stand in it.
        let pool = BlockPool::default();
        pool.give(b"\xef\xbb\xbfversion account-id\n".repeat(200));
        let ranges =
            LineRanges::new(format, layout, Some(expected), &pool).with_range_bytes(range_bytes);
        let read = |offset: u64, into: &mut [u8]| -> Result<usize, Infallible> {
            let rest = bytes.get(offset as usize..).unwrap_or_default();
            let length = rest.len().min(into.len());
            into[..length].copy_from_slice(&rest[..length]);
            Ok(length)
        };
        let work = || {
            let (mut blocks, mut taken, mut shrank_to) = (VecDeque::new(), 0, None);
            while let Ok(Some(range)) = ranges.take(read, &mut blocks) {
                taken += range.bytes;
                shrank_to = shrank_to.or(range.shrank_to);
            }
            (blocks, taken, shrank_to)
        };
        let parts = thread::scope(|scope| {
            let threads: Vec<_> = (0..3).map(|_| scope.spawn(work)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect::<Vec<_>>()
        });
        let length = bytes.len() as u64;
        assert_eq!(parts.iter().map(|part| part.1).sum::<u64>(), length);
        let shrank_to: Vec<u64> = parts.iter().filter_map(|part| part.2).collect();
        let expected: &[u64] = if length < expected { &[length] } else { &[] };
        assert_eq!(shrank_to, expected);
        let mut blocks: Vec<_> = parts.into_iter().flat_map(|part| part.0).collect();
        blocks.sort_by_key(|block| block.offset);
        self.parse(&blocks, None)
    }

    pub(crate) fn read_filtered(&self, bytes: &[u8], row_filter: &mut dyn RowFilter) -> Reading {
        self.parse(&self.cut(bytes, false), Some(row_filter))
    }

    fn cutter(&self) -> Cutter {
        Cutter::new(Arc::clone(&self.table.format), Arc::clone(&self.layout))
            .with_block_bytes(self.block_bytes)
    }

    fn cut(&self, bytes: &[u8], cut_off: bool) -> Vec<Block> {
        let mut cutter = self.cutter();
        let mut blocks = VecDeque::new();
        for piece in pieces(bytes, &self.pieces) {
            cutter.buffer().extend_from_slice(piece);
            cutter.cut(&mut blocks);
        }
        cutter.finish(cut_off, &mut blocks);
        blocks.into()
    }

    fn decode(&self, object: &[u8]) -> (Vec<Block>, Option<FrameError>) {
        let mut cutter = self.cutter();
        let mut blocks = VecDeque::new();
        let damage = self.inflate(object, &mut cutter, &mut blocks).err();
        cutter.finish(damage.is_some(), &mut blocks);
        (blocks.into(), damage)
    }

    fn inflate(
        &self,
        object: &[u8],
        cutter: &mut Cutter,
        blocks: &mut VecDeque<Block>,
    ) -> Result<(), FrameError> {
        let mut decoder = Decoder::new(Frame::of(object), self.limit)?;
        for mut piece in pieces(object, &self.pieces).chain([&[][..]]) {
            loop {
                let room = cutter.wants();
                let before = cutter.buffer().len();
                let used = decoder.decode(piece, cutter.buffer(), room)?;
                let appended = cutter.buffer().len() - before;
                cutter.cut(blocks);
                piece = &piece[used..];
                if piece.is_empty() && appended == 0 {
                    break;
                }
            }
        }
        decoder.finish()
    }

    fn parse(&self, blocks: &[Block], mut row_filter: Option<&mut dyn RowFilter>) -> Reading {
        let filter = row_filter
            .as_ref()
            .map_or(Vec::new(), |filter| filter.columns().to_vec());
        let table = Arc::clone(&self.table);
        let mut parser = Parser::new(table, &self.projection, &filter, self.options);
        if let Some(literals) = &self.literals {
            parser = parser.with_literals(literals);
        }
        parser.set_predicates(self.predicates.clone());
        let mut reading = Reading {
            schema: Arc::clone(parser.schema()),
            batches: Vec::new(),
            counts: Counts::default(),
            rejects: Vec::new(),
            damage: None,
        };
        for block in blocks {
            // Not `as_deref_mut`, whose lifetime would outlive the loop's turn.
            let row_filter: Option<&mut dyn RowFilter> = match &mut row_filter {
                Some(row_filter) => Some(&mut **row_filter),
                None => None,
            };
            let parsed = parser.parse(block, row_filter).unwrap();
            assert!(parsed.counts.add_up(), "{:?}", parsed.counts);
            assert_eq!(parsed.counts.rows, parsed.batch.num_rows() as u64);
            assert!(parsed.rejects.len() <= self.options.keep_rejects);
            reading.counts += parsed.counts;
            reading.rejects.extend(parsed.rejects);
            reading.batches.push(parsed.batch);
        }
        reading
    }
}

impl Reading {
    /// All rows as one batch.
    pub(crate) fn batch(&self) -> RecordBatch {
        concat_batches(&self.schema, &self.batches).unwrap()
    }

    /// The rejects in an order that does not depend on how the object was cut into blocks.
    pub(crate) fn sorted_rejects(&self) -> Vec<Reject> {
        let mut rejects = self.rejects.clone();
        rejects.sort_by_key(|reject| (reject.line, reject.offset, reject.column.clone()));
        rejects
    }

    pub(crate) fn rejects_of(&self, kind: RejectKind) -> Vec<Reject> {
        let mut rejects = self.sorted_rejects();
        rejects.retain(|reject| reject.reason.kind() == kind);
        rejects
    }

    /// The reasons as they are shown, with their lines and columns.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let shown = |reject: Reject| match &reject.column {
            Some(column) => format!("{} {column}: {}", reject.line, reject.reason),
            None => format!("{}: {}", reject.line, reject.reason),
        };
        self.sorted_rejects().into_iter().map(shown).collect()
    }

    /// The column of this name, as text; `a.b` is a column within another.
    pub(crate) fn column(&self, name: &str) -> Vec<Option<String>> {
        let batch = self.batch();
        let mut names = name.split('.');
        let mut column = batch.column_by_name(names.next().unwrap()).unwrap();
        let mut valid: Vec<bool> = (0..batch.num_rows())
            .map(|row| column.is_valid(row))
            .collect();
        for name in names {
            column = column.as_struct().column_by_name(name).unwrap();
            for (row, valid) in valid.iter_mut().enumerate() {
                *valid &= column.is_valid(row);
            }
        }
        let cell = |(row, valid): (usize, &bool)| if *valid { cell(column, row) } else { None };
        valid.iter().enumerate().map(cell).collect()
    }
}

/// A value as text.
pub(crate) fn cell(column: &dyn Array, row: usize) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    Some(match column.data_type() {
        DataType::Utf8View => column.as_string_view().value(row).to_owned(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Timestamp(..) => column
            .as_primitive::<TimestampMicrosecondType>()
            .value(row)
            .to_string(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Struct(_) => {
            let column = column.as_struct();
            let members = column.column_names().into_iter().zip(column.columns());
            let members =
                members.filter_map(|(name, member)| Some(format!("{name}={}", cell(member, row)?)));
            format!("({})", members.collect::<Vec<_>>().join(" "))
        }
        DataType::List(_) => {
            let values = column.as_list::<i32>().value(row);
            let elements =
                (0..values.len()).map(|at| cell(&values, at).unwrap_or("NULL".to_owned()));
            format!("[{}]", elements.collect::<Vec<_>>().join(" "))
        }
        other => panic!("no column is of {other}"),
    })
}

/// `bytes` in pieces of these sizes, over and over.
fn pieces<'a>(bytes: &'a [u8], sizes: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = bytes;
    sizes.iter().cycle().map_while(move |&size| {
        if rest.is_empty() {
            return None;
        }
        let (piece, after) = rest.split_at(size.clamp(1, rest.len()));
        rest = after;
        Some(piece)
    })
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).unwrap()
}
