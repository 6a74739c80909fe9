//! A tenant's money, in an operator's hand.

use countersign_model::{Flaw, LedgerId, Money, TenantId, Timestamp, is_steering};
use countersign_records::{Booked, LedgerLine, LineFilter, LineKind, LineState, NewCredit, Transaction, WalletDifference};
use serde_json::json;

use super::error::ManageError;
use super::order::{Acted, Done, Order, owner, seen};
use super::wallet_views::{BalanceView, DifferenceView, LineView};
use crate::platform::Platform;
use crate::wallet::{Credited, Rebuilt, WalletError, WalletView};

/// Differences that are looked through for one; more stand open only where nobody has looked for long.
const DIFFERENCES: u32 = 1_000;

impl From<WalletError> for ManageError {
    fn from(error: WalletError) -> Self {
        match error {
            WalletError::UnknownTenant => Self::Missing("tenant"),
            WalletError::Amount => Self::invalid("amount", "cannot be booked"),
            WalletError::Mismatch => Self::IdempotencyMismatch,
            WalletError::Overdrawn { .. } => Self::State("the ledger comes to less than nothing: look at its lines"),
            WalletError::Records(failure) => failure.into(),
            WalletError::Store(failure) => failure.into(),
        }
    }
}

impl Platform {
    /// Pays an amount into a tenant's balance.
    pub async fn top_up(&self, order: &Order, tenant: TenantId, amount: Money, note: &str) -> Result<Credited, ManageError> {
        let mut flaws = flaw_of_note(note);
        if amount <= Money::ZERO {
            flaws.push(Flaw::new("amount", "must be above zero"));
        }
        ManageError::unless_sound(flaws)?;
        self.book(order, tenant, LineKind::Credit, amount, note).await
    }

    /// Puts a tenant's balance right by an amount, either way. What would take more than there is, is refused: the line says so then.
    pub async fn adjust(&self, order: &Order, tenant: TenantId, amount: Money, note: &str) -> Result<Credited, ManageError> {
        ManageError::unless_sound(flaws_of_adjustment(amount, note))?;
        self.book(order, tenant, LineKind::Adjustment, amount, note).await
    }

    /// Puts a tenant's ledger right by an amount, either way, and leaves the balance that admits sends alone: closes a difference between the two
    /// where a person found that the balance is what should be. The other way round it is [`Platform::rebuild_wallet`].
    pub async fn correct_ledger(
        &self,
        order: &Order,
        tenant: TenantId,
        amount: Money,
        note: &str,
    ) -> Result<Done<LineView>, ManageError> {
        ManageError::unless_sound(flaws_of_adjustment(amount, note))?;
        let at = self.clock.now();
        let id = LedgerId::mint(at, &*self.rng, tenant.partition());
        let (kind, note) = (LineKind::Adjustment, note.to_owned());
        let line = NewCredit { id, tenant, kind, amount, note, call: id.to_string(), at };
        self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            owner(transaction, tenant).await?;
            let line = LineView::of(&transaction.ledger().correct(&line).await?);
            let after = Some(json!({"line": line.id, "amount": amount, "note": line.note}));
            Ok(Acted { record: line, what: "wallet.correct", target: tenant.to_string(), before: None, after })
        })
        .await
    }

    /// The line of the ledger and the audit entry are one transaction; the balance follows at once, or as soon as the session store is back.
    async fn book(
        &self,
        order: &Order,
        tenant: TenantId,
        kind: LineKind,
        amount: Money,
        note: &str,
    ) -> Result<Credited, ManageError> {
        let at = self.clock.now();
        let id = LedgerId::mint(at, &*self.rng, tenant.partition());
        let credit = NewCredit { id, tenant, kind, amount, note: note.to_owned(), call: id.to_string(), at };
        let what = if kind == LineKind::Credit { "wallet.top_up" } else { "wallet.adjust" };
        let done = self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            owner(transaction, tenant).await?;
            match transaction.ledger().book(&credit).await? {
                Booked::New(_) => {}
                Booked::Before(_) | Booked::Other => {
                    return Err(ManageError::Internal("a new line of the ledger is there already"));
                }
            }
            let after = Some(json!({"line": credit.call, "amount": amount, "note": note}));
            Ok(Acted { record: credit.call.clone(), what, target: tenant.to_string(), before: None, after })
        });
        let Done { record: call, replayed } = done.await?;
        let mut credited = self.settled(tenant, kind, amount, note, &call).await?;
        if credited.line.state == LineState::Pending {
            // A worker may have settled it in between: then the line says so now.
            credited = self.settled(tenant, kind, amount, note, &call).await?;
        }
        Ok(Credited { repeated: replayed, ..credited })
    }

    /// Takes the step that gets a booked line into the balance, and tells how that went.
    async fn settled(
        &self,
        tenant: TenantId,
        kind: LineKind,
        amount: Money,
        note: &str,
        call: &str,
    ) -> Result<Credited, ManageError> {
        let wallets = self.wallets();
        Ok(match kind {
            LineKind::Credit => wallets.top_up(tenant, amount, note, call).await?,
            LineKind::Adjustment | LineKind::Capture | LineKind::Fee => wallets.adjust(tenant, amount, note, call).await?,
        })
    }

    /// A tenant's money, in both places.
    pub async fn show_wallet(&self, tenant: TenantId) -> Result<WalletView, ManageError> {
        Ok(self.wallets().show(tenant).await?)
    }

    /// Sets a tenant's balance to what the ledger says: for when the session store lost it. What the projector has not read yet is given
    /// back, so let it finish first. What was there before stands in the audit log.
    pub async fn rebuild_wallet(&self, order: &Order, tenant: TenantId) -> Result<Rebuilt, ManageError> {
        let rebuilt = self.wallets().rebuild(tenant).await?;
        let done = self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            owner(transaction, tenant).await?;
            Ok(Acted {
                record: (),
                what: "wallet.rebuild",
                target: tenant.to_string(),
                before: seen(&BalanceView::of(&rebuilt.before))?,
                after: seen(&BalanceView::of(&rebuilt.after))?,
            })
        });
        done.await?;
        Ok(rebuilt)
    }

    /// Lines of a tenant's ledger, newest first, at most `limit`.
    pub async fn list_ledger(&self, tenant: TenantId, filter: LineFilter, limit: u32) -> Result<Vec<LedgerLine>, ManageError> {
        Ok(self.records.ledger().list(tenant, filter, limit).await?)
    }

    /// Balances that were not what the ledger says, the newest first; only those nobody has acknowledged, if `open`.
    pub async fn list_differences(&self, open: bool, limit: u32) -> Result<Vec<WalletDifference>, ManageError> {
        Ok(self.records.wallet_differences().list(open, limit).await?)
    }

    /// Takes note of a difference: it is told no more. Changes no balance. The first note counts.
    pub async fn acknowledge_difference(
        &self,
        order: &Order,
        tenant: TenantId,
        of: Timestamp,
    ) -> Result<WalletDifference, ManageError> {
        let now = self.clock.now();
        let done = self.change(order, Some(tenant), async |transaction: &mut Transaction| {
            if !transaction.wallet_differences().acknowledge(tenant, of, &order.who, now).await? {
                return Err(ManageError::Missing("wallet difference"));
            }
            Ok(Acted {
                record: (),
                what: "wallet_difference.acknowledge",
                target: DifferenceView::name(tenant, of),
                before: None,
                after: None,
            })
        });
        done.await?;
        let all = self.records.wallet_differences().list(false, DIFFERENCES).await?;
        let noted = all.into_iter().find(|difference| difference.tenant == tenant && difference.at == of);
        noted.ok_or(ManageError::Missing("wallet difference"))
    }
}

fn flaws_of_adjustment(amount: Money, note: &str) -> Vec<Flaw> {
    let mut flaws = flaw_of_note(note);
    if amount.is_zero() {
        flaws.push(Flaw::new("amount", "must not be zero"));
    }
    if note.trim().is_empty() {
        flaws.push(Flaw::new("note", "must say why"));
    }
    flaws
}

fn flaw_of_note(note: &str) -> Vec<Flaw> {
    if note.chars().count() > 256 || note.chars().any(is_steering) {
        vec![Flaw::new(
            "note",
            "must have at most 256 characters, none of them a control character or a mark of writing direction",
        )]
    } else {
        Vec::new()
    }
}
