//! Standing windows: statements whose windows are given as they close, over all shards together.
//!
//! Each cut groups its records for each statement. What comes of that is in its commit
//! ([`cut_state`]), so it is there once for each record, like the objects of the cut.
//!
//! Of each statement there is one [`owner`] at a time, in whichever worker. It merges what the
//! commits of all shards hold, those of each shard in their order. In one object ([`kept`]) it keeps
//! how far it has used each log, the open windows, and what is to be given; that is only ever replaced
//! while it still is the one that was read. So every commit is merged once, whoever owns the
//! statement, and an owner that was only asleep finds the object changed. What is to be given is given
//! when it is kept, and once more after a crash:
//!
//! - [`files`]: one Parquet file for each window, which a revision replaces.
//! - [`notices`]: JSON for people and machines, each with an id that stays the same.
//! - [`episodes`]: with HAVING, one notice when the condition begins to hold, and one when it ends.

pub mod cut_state;
pub mod episodes;
pub mod files;
pub mod kept;
pub mod notices;
pub mod owner;
pub mod standing;
mod step;
mod time;

#[cfg(test)]
mod tests;

pub use self::standing::{StandingWindow, Standings};
