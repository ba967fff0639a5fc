//! What a statement reads and what that costs: before it runs, and after.

mod estimate;
mod limits;
mod prices;
mod statements;

pub(crate) use estimate::{Estimate, batch, schema};
pub use limits::Limits;
pub use prices::{Bill, Prices};
pub(crate) use statements::statements;
