//! Money: what operators put in and take out, and how it gets into the balance that admits sends.
//!
//! A credit is a line of the ledger first and a step of the session store afterwards. The step is repeatable, so a node that dies in between
//! loses nothing: whoever comes next takes the step again. The ledger is the truth; a balance that differs from it is told, never mended.

use std::fmt;
use std::sync::Arc;

use countersign_model::{Clock, LedgerId, Money, Rng, TenantId, Timestamp};
use countersign_records::{Booked, LedgerLine, LedgerSum, LineKind, LineState, NewCredit, Records, RecordsError};
use countersign_session::store::{Balance, Credit, CreditVerdict, SessionStore, StoreError};
use tracing::{error, warn};

use crate::metrics::Metrics;

/// Credits that a round takes at most.
const BATCH: u32 = 256;

/// Why nothing was done with money, or why it is not known.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// There is no such tenant.
    #[error("no such tenant")]
    UnknownTenant,
    /// A credit must be above zero, an adjustment anything but zero.
    #[error("not an amount that can be booked")]
    Amount,
    /// A call of the same name booked something else.
    #[error("this call id was used for another amount")]
    Mismatch,
    /// The ledger comes to less than nothing, which no balance may be: a person has to look at its lines.
    #[error("the ledger comes to {ledger}: no balance can be set to that")]
    Overdrawn {
        /// What it comes to.
        ledger: Money,
    },
    /// The records cannot be read or written.
    #[error("the records are unavailable")]
    Records(#[source] RecordsError),
    /// The session store cannot take the step.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RecordsError> for WalletError {
    fn from(error: RecordsError) -> Self {
        if matches!(error, RecordsError::Missing) { Self::UnknownTenant } else { Self::Records(error) }
    }
}

/// What became of a credit or an adjustment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credited {
    /// The line of the ledger. Pending: it stands there, and gets into the balance as soon as the session store is back.
    pub line: LedgerLine,
    /// Whether an earlier call had booked it.
    pub repeated: bool,
}

/// A tenant's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalletView {
    /// What admits sends; none: the session store is away.
    pub balance: Option<Balance>,
    /// What the ledger says. It trails the balance by what the projector has not read yet.
    pub ledger: LedgerSum,
}

/// What a rebuild did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuilt {
    /// The balance before.
    pub before: Balance,
    /// The balance after: the ledger's, with what sessions hold still held.
    pub after: Balance,
}

/// The verbs and rounds of money.
#[derive(Clone)]
pub struct Wallets {
    store: Arc<dyn SessionStore>,
    records: Records,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    metrics: Arc<Metrics>,
}

impl fmt::Debug for Wallets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wallets")
    }
}

impl Wallets {
    /// Works on these.
    #[must_use]
    pub fn new(
        store: Arc<dyn SessionStore>,
        records: Records,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { store, records, clock, rng, metrics }
    }

    /// Pays an amount in. `call` names the wish: repeated, it is answered and not done again.
    pub async fn top_up(&self, tenant: TenantId, amount: Money, note: &str, call: &str) -> Result<Credited, WalletError> {
        if amount <= Money::ZERO {
            return Err(WalletError::Amount);
        }
        self.book(tenant, LineKind::Credit, amount, note, call).await
    }

    /// Puts a balance right by an amount, either way. What would take more than there is, is refused: its line then says so.
    pub async fn adjust(&self, tenant: TenantId, amount: Money, note: &str, call: &str) -> Result<Credited, WalletError> {
        if amount.is_zero() {
            return Err(WalletError::Amount);
        }
        self.book(tenant, LineKind::Adjustment, amount, note, call).await
    }

    /// A tenant's money, in both places.
    pub async fn show(&self, tenant: TenantId) -> Result<WalletView, WalletError> {
        let ledger = self.records.ledger().sum(tenant).await?;
        let balance = match self.store.balance(tenant).await {
            Ok(balance) => Some(balance),
            Err(StoreError::Unavailable(_)) => None,
            Err(failure) => return Err(failure.into()),
        };
        Ok(WalletView { balance, ledger })
    }

    /// Sets a tenant's balance to what the ledger says. For a person's hand, after the session store lost it: what the projector has not read
    /// yet is given back, so let the projector finish first.
    pub async fn rebuild(&self, tenant: TenantId) -> Result<Rebuilt, WalletError> {
        let sum = self.records.ledger().sum(tenant).await?;
        if sum.balance < Money::ZERO {
            return Err(WalletError::Overdrawn { ledger: sum.balance });
        }
        let before = self.store.balance(tenant).await?;
        let after = self.store.rebuild(tenant, sum.balance, sum.credits).await?;
        self.records.ledger().settle_up_to(tenant, sum.credits, self.clock.now()).await?;
        Ok(Rebuilt { before, after })
    }

    /// A round: gets pending credits into the balances, in order, and counts what stands open. Tells how many it settled.
    pub async fn settle_credits(&self) -> Result<usize, WalletError> {
        let pending = self.records.ledger().pending(BATCH).await?;
        self.metrics.log.credits_pending(pending.len());
        let settled = self.settle(&pending).await?;
        self.metrics.log.differences(self.records.wallet_differences().count_open().await?);
        Ok(settled)
    }

    /// A round, now and then: has the balance of each tenant that has a ledger written into the log, where the projector compares it. Goes on after
    /// `after` with at most `limit`; gives the last one, none when it was through.
    pub async fn cut(&self, after: Option<TenantId>, limit: u32) -> Result<Option<TenantId>, WalletError> {
        let tenants = self.records.ledger().tenants(after, limit).await?;
        for tenant in &tenants {
            self.store.cut(*tenant).await?;
        }
        Ok(tenants.last().copied().filter(|_| tenants.len() == limit as usize))
    }

    async fn book(
        &self,
        tenant: TenantId,
        kind: LineKind,
        amount: Money,
        note: &str,
        call: &str,
    ) -> Result<Credited, WalletError> {
        let at = self.clock.now();
        let credit = NewCredit {
            id: LedgerId::mint(at, &*self.rng, tenant.partition()),
            tenant,
            kind,
            amount,
            note: note.to_owned(),
            call: call.to_owned(),
            at,
        };
        let (line, repeated) = match self.records.ledger().book(&credit).await? {
            Booked::New(line) => (line, false),
            Booked::Before(line) => (line, true),
            Booked::Other => return Err(WalletError::Mismatch),
        };
        if line.state != LineState::Pending {
            return Ok(Credited { line, repeated });
        }
        // It stands in the ledger: what fails now is done by the next round.
        let state = self.settle_now(tenant, &line, at).await.unwrap_or_else(|failure| {
            warn!(%tenant, %failure, "a credit is in the ledger and not in the balance yet");
            LineState::Pending
        });
        Ok(Credited { line: LedgerLine { state, ..line }, repeated })
    }

    async fn settle_now(&self, tenant: TenantId, line: &LedgerLine, at: Timestamp) -> Result<LineState, WalletError> {
        let pending = self.records.ledger().pending_of(tenant).await?;
        let mut state = LineState::Pending;
        for credit in &pending {
            let Some(found) = self.step(credit, at).await? else { break };
            if credit.number == line.number {
                state = found;
            }
        }
        Ok(state)
    }

    /// Credits in the order of tenants and numbers. Where one cannot be taken yet, the tenant's others wait, and the other tenants' do not.
    async fn settle(&self, pending: &[LedgerLine]) -> Result<usize, WalletError> {
        let (at, mut settled, mut waiting) = (self.clock.now(), 0, None);
        for credit in pending {
            if waiting == Some(credit.tenant) {
                continue;
            }
            match self.step(credit, at).await? {
                Some(_) => settled += 1,
                None => waiting = Some(credit.tenant),
            }
        }
        Ok(settled)
    }

    /// Takes one credit into the balance and writes that down. None: credits before it are missing there.
    async fn step(&self, line: &LedgerLine, at: Timestamp) -> Result<Option<LineState>, WalletError> {
        let Some(number) = line.number else { return Ok(None) };
        let verdict = self.store.credit(Credit { tenant: line.tenant, number, amount: line.amount }).await?;
        let state = match verdict {
            CreditVerdict::Credited(_) | CreditVerdict::Before(_) => LineState::Applied,
            CreditVerdict::Short(_) => LineState::Refused,
            CreditVerdict::Gap { next } => {
                error!(tenant = %line.tenant, number, next, "the balance lacks a credit that the ledger has as taken: see `wallet rebuild`");
                return Ok(None);
            }
        };
        self.records.ledger().settle(line.tenant, number, state == LineState::Applied, at).await?;
        Ok(Some(state))
    }
}
