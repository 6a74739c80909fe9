//! What tells an event that is told again from another one of the same number.

use countersign_model::{Aggregate, Event, LogEntry};
use data_encoding::HEXLOWER;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Letters of an event's fingerprint.
pub(super) const LENGTH: usize = 8;

/// Of an event, as it stands in a session's history. Two that differ have the same one time in four thousand million.
pub(super) fn event(entry: &LogEntry, event: &Event) -> String {
    letters(&(entry.at.millis(), event.number, &event.kind), LENGTH)
}

/// Of an entry, as a cursor keeps it.
pub(super) fn entry(entry: &LogEntry) -> String {
    letters(&(aggregate(entry), entry.at.millis(), &entry.events), 2 * LENGTH)
}

/// What an entry is about, in letters.
pub(super) fn aggregate(entry: &LogEntry) -> String {
    match entry.of {
        Aggregate::Session(id) => id.to_string(),
        Aggregate::Account(tenant) => tenant.to_string(),
    }
}

fn letters(value: &impl Serialize, count: usize) -> String {
    // Numbers, words and texts always have a written form.
    let written = serde_json::to_vec(value).unwrap_or_default();
    let mut letters = HEXLOWER.encode(&Sha256::digest(&written));
    letters.truncate(count);
    letters
}
