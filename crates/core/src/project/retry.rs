//! Trying an entry that was set aside again, at an operator's wish.

use countersign_model::{LogEntry, Partition, Timestamp};
use countersign_records::RecordsError;

use super::{Fault, ProjectError, Projector, batch};

/// What a retry came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retried {
    /// It is taken in, or had been; it is set aside no more.
    TakenIn,
    /// It still cannot be, for this reason.
    Still(String),
    /// Nothing of this name is set aside.
    Unknown,
}

impl Projector {
    /// Tries an entry that was set aside once more. Of several on one thing the oldest goes first: the others only fit behind it.
    pub async fn retry(&self, partition: Partition, sequence: u64, entry_at: Timestamp) -> Result<Retried, ProjectError> {
        let inner = &self.0;
        let mut whole = inner.records.begin().await?;
        let Some(poison) = whole.poison().find(partition, sequence, entry_at).await? else { return Ok(Retried::Unknown) };
        let Ok(entry) = serde_json::from_str::<LogEntry>(&poison.entry) else {
            return Ok(Retried::Still(RecordsError::Corrupt { record: "poison event", field: "entry" }.to_string()));
        };
        let tally = match batch::take_in(&mut whole, &[entry], &inner.cx()).await {
            Ok(tally) => tally,
            Err(refused) if refused.is_of_the_data() => return Ok(Retried::Still(Fault::refused(&refused).to_string())),
            Err(failure) => return Err(failure.into()),
        };
        if let Some((_, fault)) = tally.set_aside.first() {
            return Ok(Retried::Still(fault.to_string()));
        }
        whole.poison().remove(partition, sequence, entry_at).await?;
        whole.commit().await?;
        inner.told(&tally);
        Ok(Retried::TakenIn)
    }
}
