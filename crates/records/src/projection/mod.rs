//! What the projector writes: how far it is, what it could not take in, and the sessions and messages that the log tells of.

mod counts;
mod cursor;
mod list;
mod messages;
mod poison;
mod retention;
mod sessions;

pub(crate) use messages::money;

pub use cursor::{Cursor, Cursors, Moved};
pub use list::{ListFilter, ListPage, ListPlace, ListSlice};
pub use messages::{MessageChange, MessageLog, MessageRecord, Moment};
pub use poison::{Poison, PoisonEvents, PoisonKind};
pub use sessions::{RecordedChannel, SessionLog, SessionRecord, SessionState, ShownStatus};
