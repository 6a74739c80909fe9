//! Steps on a tenant's balance that no session causes.

use countersign_model::{Aggregate, Event, EventKind, KeyKind, LogEntry, Mode, Money, Scope, TenantId};

use super::Step;
use crate::session::{Context, Session, Tally};
use crate::store::StoreError;
use crate::store::rows::{Account, REFUSED_KEPT, Rows};
use crate::store::verdicts::CreditVerdict;

/// Adds an amount, below zero too, to a balance. The tenant's credits are numbered without gaps from 1 in the ledger, and are taken in that
/// order, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credit {
    /// Whose balance.
    pub tenant: TenantId,
    /// Which of its credits.
    pub number: u64,
    /// How much.
    pub amount: Money,
}

/// Writes the balance into the log, to be compared with the ledger there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    pub(crate) tenant: TenantId,
}

/// Sets a balance to what the ledger says. What sessions hold stays held.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rebuild {
    pub(crate) tenant: TenantId,
    pub(crate) balance: Money,
    pub(crate) held: Money,
    pub(crate) credits: u64,
}

/// Where the balance stands beside a step on a session.
pub(super) enum Funds {
    /// The step moves no money.
    Still,
    /// It moves some; this is the account then.
    Moved(Account),
    /// There is not enough.
    Short,
}

/// What a step that changed a session from `before` does to the balance. Giving back and taking what was held always fits.
pub(super) fn funds(rows: &mut dyn Rows, before: Tally, session: &Session) -> Result<Funds, StoreError> {
    let after = session.tally();
    if after == before {
        return Ok(Funds::Still);
    }
    let mut account = rows.account(session.scope().tenant)?.unwrap_or_default();
    let needed = (after.held + after.captured) - (before.held + before.captured);
    if needed > Money::ZERO && account.available() < needed {
        return Ok(Funds::Short);
    }
    account.held = account.held + after.held - before.held;
    account.balance = account.balance - (after.captured - before.captured);
    Ok(Funds::Moved(account))
}

impl Step for Credit {
    type Verdict = CreditVerdict;

    fn take(&self, rows: &mut dyn Rows, _: &Context<'_>) -> Result<CreditVerdict, StoreError> {
        let mut account = rows.account(self.tenant)?.unwrap_or_default();
        if self.number <= account.credits {
            let was_short = account.refused.contains(&self.number);
            return Ok(if was_short { CreditVerdict::Short(account.view()) } else { CreditVerdict::Before(account.view()) });
        }
        if self.number > account.credits + 1 {
            return Ok(CreditVerdict::Gap { next: account.credits + 1 });
        }
        account.credits = self.number;
        // Also what no store could hold without rounding does not fit.
        let fits = if self.amount < Money::ZERO {
            account.available() + self.amount >= Money::ZERO
        } else {
            account.balance + self.amount < Money::MAX
        };
        if !fits {
            account.refused.push(self.number);
            let forgotten = account.refused.len().saturating_sub(REFUSED_KEPT);
            account.refused.drain(..forgotten);
        }
        if fits {
            account.balance = account.balance + self.amount;
            account.low_told &= self.amount < Money::ZERO;
        }
        rows.put_account(self.tenant, &account)?;
        Ok(if fits { CreditVerdict::Credited(account.view()) } else { CreditVerdict::Short(account.view()) })
    }
}

impl Step for Cut {
    type Verdict = ();

    fn take(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<(), StoreError> {
        let mut account = rows.account(self.tenant)?.unwrap_or_default();
        account.events += 1;
        let (balance, held, credits) = (account.balance, account.held, account.credits);
        let event = Event { number: account.events, kind: EventKind::BalanceCut { balance, held, credits } };
        rows.put_account(self.tenant, &account)?;
        rows.append(&LogEntry {
            sequence: 0,
            partition: self.tenant.partition(),
            at: cx.now,
            scope: Scope { tenant: self.tenant, keys: KeyKind::Live },
            mode: Mode::Live,
            of: Aggregate::Account(self.tenant),
            events: vec![event],
        })
    }
}

impl Step for Rebuild {
    type Verdict = ();

    fn take(&self, rows: &mut dyn Rows, _: &Context<'_>) -> Result<(), StoreError> {
        let before = rows.account(self.tenant)?.unwrap_or_default();
        let account = Account { balance: self.balance, held: self.held, credits: self.credits, low_told: false, ..before };
        rows.put_account(self.tenant, &account)
    }
}
