//! The owner of a shard: from records to committed cuts.
//!
//! ```text
//! read  ->  claim      an entry of the shard's log, if there is none of its number
//!       ->  upload     the claimed names, each if there is none such; one that is there is done
//!       ->  commit     the next entry, if there is none of its number
//!       ->  checkpoint the lease, if its counter is the one that was seen
//! ```
//!
//! Whoever begins to own a shard finishes the last claim first: it reads the same records again and
//! writes the same names. So after a crash between any two steps the rest is done by the next owner,
//! and an owner that was only asleep finds its next entry taken, and that all objects of its claim are
//! there. Readers who only list objects never see a record twice.
//!
//! Only who has won a claim uploads, and claims are all finished. So no object is ever without a
//! commit for longer than its shard is without an owner, and none needs to be swept. It follows that
//! the names of committed objects have to stay taken for as long as an owner may sleep.

mod finish;
mod maker;
mod owner;
mod uploads;

pub use self::maker::{Beginning, CutMaker, CutState, MadeObject, Making};
pub use self::owner::{Left, ShardOwner};
