//! AWS log formats: bytes to Arrow columns.
//!
//! Vocabulary, in the order in which bytes pass through:
//!
//! - **Object**: a sequence of bytes with a key: a file, an S3 object, standard input.
//! - **Frame** ([`frame`]): what the bytes are wrapped in: nothing, gzip, zstd.
//! - **Record**: one log entry: a line, or a JSON object ([`json`]). [`record`] cuts bytes into
//!   [`record::Block`]s of whole records.
//! - **Layout** ([`layout`]): which field of a record is which column, as a header line says.
//! - **Table** ([`table`]): the columns that SQL sees of one format.
//! - **Filter** ([`filter`]): what is asked of bytes before columns are built.
//! - **Parser** ([`parse`]): one block, a projection and a filter in; a batch, rejects and
//!   counts out.
//! - **Reject** ([`reject`]): a record, or a value, that did not fit, with its place and reason.
//!
//! What is deliberately absent: this crate does no I/O, knows no runtime and no AWS client, and
//! never returns an error for bad data: bad data becomes rejects.

pub mod arch;
mod columns;
pub mod delimited;
pub mod detect;
pub mod envelope;
pub mod field;
pub mod filter;
pub mod format;
pub mod frame;
pub mod json;
pub mod key;
pub mod layout;
pub mod offsets;
pub mod oracle;
pub mod parse;
pub mod record;
pub mod reject;
pub mod table;
