//! Look at what was paid in and what was taken.

use countersign_model::{LedgerId, Money, SessionId, Timestamp};
use countersign_records::{EntryKind, StatementFilter, StatementLine};

use crate::callers::Caller;
use crate::platform::Platform;
use crate::refusal::Refusal;

/// Which lines are wanted. What is left open is not looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LedgerFilter {
    /// Those of this kind.
    pub kind: Option<EntryKind>,
    /// Booked at or after.
    pub from: Option<Timestamp>,
    /// Booked before.
    pub to: Option<Timestamp>,
}

/// A line of a caller's ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Names it.
    pub id: LedgerId,
    /// What it is.
    pub kind: EntryKind,
    /// Below zero: taken.
    pub amount: Money,
    /// What the ledger came to with it.
    pub balance_after: Money,
    /// For what session it was taken.
    pub session: Option<SessionId>,
    /// When.
    pub at: Timestamp,
}

/// A page of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerPage {
    /// Newest first.
    pub rows: Vec<LedgerEntry>,
    /// Where the next page starts; none at the end.
    pub next: Option<LedgerId>,
}

impl Platform {
    /// Lines of the ledger of the caller's tenant behind a place, at most `limit`. It trails the balance by what the projector has not read.
    pub async fn ledger(
        &self,
        caller: &Caller,
        filter: &LedgerFilter,
        after: Option<LedgerId>,
        limit: u32,
    ) -> Result<LedgerPage, Refusal> {
        let caller = self.admit(caller).await?;
        let filter = StatementFilter { kind: filter.kind, from: filter.from, to: filter.to };
        let ledger = self.records.ledger();
        let mut lines = ledger.statement(caller.scope.tenant, filter, after, limit + 1).await.map_err(Refusal::RecordsAway)?;
        let more = lines.len() > limit as usize;
        lines.truncate(limit as usize);
        let next = lines.last().filter(|_| more).map(|last| last.line.id);
        Ok(LedgerPage { rows: lines.iter().map(LedgerEntry::of).collect(), next })
    }
}

impl LedgerEntry {
    const fn of(entry: &StatementLine) -> Self {
        let StatementLine { kind, line, balance } = entry;
        Self { id: line.id, kind: *kind, amount: line.amount, balance_after: *balance, session: line.session, at: line.at }
    }
}
