//! Windows of event time: `GROUP BY tumble(event_time, size)`, `hop(event_time, slide, size)` and
//! `session(event_time, gap)`, with other keys.
//!
//! - [`functions`]: the names that SQL has for them.
//! - [`node`]: what a statement asks, in the logical plan.
//! - [`spec`]: which windows and panes a time lies in.
//! - [`aggregation`]: what is computed for each window, and how rows of panes look.
//! - [`partial`]: rows to partial rows, one for each pane and key.
//! - [`panes`], [`sessions`]: partial rows to windows.
//! - [`exec`]: all of it over bounded data, as an operator of a plan.
//!
//! A pane is as wide as the slide (exactly: the greatest common divisor of slide and size), so a row
//! is aggregated once, however many windows it lies in. A window is what its panes hold together.

pub(crate) mod aggregation;
mod count_distinct;
pub(crate) mod exec;
mod fold;
pub(crate) mod functions;
pub(crate) mod keys;
pub(crate) mod node;
pub(crate) mod open;
pub(crate) mod panes;
pub(crate) mod partial;
pub(crate) mod planner;
mod running;
pub(crate) mod sessions;
pub(crate) mod spec;
mod spill;
pub(crate) mod top;
