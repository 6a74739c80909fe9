//! Entries of the event log that were set aside and wait for a person.

use std::sync::Arc;

use countersign_model::{Partition, Timestamp};
use countersign_records::{Poison, Transaction};
use serde::Serialize;

use super::error::ManageError;
use super::order::{Acted, Order, found, seen};
use crate::platform::Platform;
use crate::project::{ProjectError, Projector, Retried};

/// What an entry that was set aside is called: its partition, its place there, and when it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoisonName {
    partition: Partition,
    sequence: u64,
    entry_at: Timestamp,
}

impl PoisonName {
    /// Of `poison`.
    #[must_use]
    pub const fn of(poison: &Poison) -> Self {
        Self { partition: poison.partition, sequence: poison.sequence, entry_at: poison.entry_at }
    }

    /// Reads the written form.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let partition: u8 = parts.next()?.parse().ok().filter(|number| *number < Partition::COUNT)?;
        let sequence = parts.next()?.parse().ok()?;
        let entry_at = Timestamp::from_millis(parts.next()?.parse().ok()?);
        parts.next().is_none().then(|| Self { partition: Partition::of(partition.into()), sequence, entry_at })
    }
}

impl std::fmt::Display for PoisonName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}-{}", self.partition.number(), self.sequence, self.entry_at.millis())
    }
}

/// An entry that was set aside. What it tells is not shown: it holds recipients.
#[derive(Debug, Clone, Serialize)]
pub struct PoisonView {
    /// Names it.
    pub id: String,
    /// The session or tenant it is about.
    pub aggregate: String,
    /// `gap`, `fork` or `refused`.
    pub kind: &'static str,
    /// Why, in a sentence.
    pub error: String,
    /// When it was written.
    pub entry_at: String,
    /// When it was set aside.
    pub at: String,
}

impl PoisonView {
    /// Shows `poison`.
    #[must_use]
    pub fn of(poison: &Poison) -> Self {
        Self {
            id: PoisonName::of(poison).to_string(),
            aggregate: poison.aggregate.clone(),
            kind: poison.kind.as_str(),
            error: poison.error.clone(),
            entry_at: poison.entry_at.to_string(),
            at: poison.at.to_string(),
        }
    }
}

impl Platform {
    /// Entries that were set aside, the oldest first, at most `limit`: in the order in which retrying them makes sense.
    pub async fn list_poison(&self, limit: u32) -> Result<Vec<Poison>, ManageError> {
        Ok(self.records.poison().list(limit).await?)
    }

    /// Tries an entry once more. None: it is taken in and set aside no more; else why it still cannot be.
    pub async fn retry_poison(&self, order: &Order, name: PoisonName) -> Result<Option<String>, ManageError> {
        let (store, clock, rng) = (Arc::clone(&self.store), Arc::clone(&self.clock), Arc::clone(&self.rng));
        let projector = Projector::new(store, self.records.clone(), clock, rng, Arc::clone(&self.metrics), self.currency());
        match projector.retry(name.partition, name.sequence, name.entry_at).await {
            Ok(Retried::TakenIn) => {}
            Ok(Retried::Still(why)) => return Ok(Some(why)),
            Ok(Retried::Unknown) => return Err(ManageError::Missing("set-aside entry")),
            Err(ProjectError::Records(failure)) => return Err(failure.into()),
            Err(ProjectError::Store(failure)) => return Err(failure.into()),
        }
        let done = self.change(order, None, async |_: &mut Transaction| {
            Ok(Acted { record: (), what: "poison.retry", target: name.to_string(), before: None, after: None })
        });
        done.await?;
        Ok(None)
    }

    /// Gives an entry up: what it would have caused is missing for ever. What it was stands in the audit log, without its content.
    pub async fn delete_poison(&self, order: &Order, name: PoisonName) -> Result<(), ManageError> {
        let PoisonName { partition, sequence, entry_at } = name;
        let done = self.change(order, None, async |transaction: &mut Transaction| {
            let before = found("set-aside entry", transaction.poison().find(partition, sequence, entry_at).await)?;
            if !transaction.poison().remove(partition, sequence, entry_at).await? {
                return Err(ManageError::Missing("set-aside entry"));
            }
            let before = seen(&PoisonView::of(&before))?;
            Ok(Acted { record: (), what: "poison.delete", target: name.to_string(), before, after: None })
        });
        done.await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_read_again_and_nothing_else_is_one() {
        let name = PoisonName { partition: Partition::of(9), sequence: 77, entry_at: Timestamp::from_millis(1_768_473_900_000) };
        assert_eq!(PoisonName::read(&name.to_string()), Some(name));
        for wrong in ["", "16-1-1", "1-1", "1-1-1-1", "a-1-1"] {
            assert_eq!(PoisonName::read(wrong), None, "{wrong}");
        }
    }
}
