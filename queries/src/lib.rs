//! Named queries: SQL files with a front matter. Those under `sql/` are built in; people have
//! folders of their own beside them.
//!
//! A file begins with comment lines that are TOML once `-- ` is taken off, up to the first line
//! that is no comment:
//!
//! ```sql
//! -- title = "Top talkers"
//! -- question = "Which sources have the most flows?"
//! -- tables = ["vpc_flow_logs"]
//! -- answer = "One row for each source, most flows first."
//! -- [parameters]
//! -- limit = { type = "integer", default = 10, doc = "rows at most" }
//! SELECT ... LIMIT $limit
//! ```
//!
//! The file's name is the query's. Adding a query is adding a file.

mod library;
mod parameter;
mod query;

pub use library::Library;
pub use parameter::{Parameter, ParameterType};
pub use query::{NamedQuery, QueryError};
