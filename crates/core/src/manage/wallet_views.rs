//! The form in which money is shown. Amounts are decimal texts.

use std::borrow::Cow;

use countersign_model::{Money, TenantId, Timestamp};
use countersign_records::{LedgerLine, WalletDifference};
use countersign_session::store::Balance;
use serde::{Deserialize, Serialize};

use super::views::text;
use crate::wallet::WalletView;

/// The balance that admits sends.
#[derive(Debug, Clone, Serialize)]
pub struct BalanceView {
    /// Credits less captures.
    pub balance: Money,
    /// The part of it that is held for messages on their way.
    pub held: Money,
    /// What sends can still be paid from.
    pub available: Money,
}

/// A tenant's money.
#[derive(Debug, Clone, Serialize)]
pub struct MoneyView {
    /// What amounts are in.
    pub currency: String,
    /// What admits sends; none: the session store is away.
    pub wallet: Option<BalanceView>,
    /// What the ledger comes to.
    pub ledger: Money,
    /// How many credits are not in the balance yet.
    pub credits_pending: u64,
}

/// A line of the ledger.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LineView {
    /// `led_…`
    pub id: String,
    /// `credit`, `adjustment`, `capture` or `fee`.
    pub kind: Cow<'static, str>,
    /// Below zero: taken.
    pub amount: Money,
    /// `pending`, `applied` or `refused`.
    pub state: Cow<'static, str>,
    /// For people.
    pub note: String,
    /// Of captures and fees.
    pub session: Option<String>,
    /// Of captures.
    pub message: Option<String>,
    /// When.
    pub at: String,
}

/// A balance that was not what the ledger says.
#[derive(Debug, Clone, Serialize)]
pub struct DifferenceView {
    /// Names it.
    pub id: String,
    /// Whose.
    pub tenant: String,
    /// When it was first seen.
    pub at: String,
    /// What the ledger came to then.
    pub expected: Money,
    /// What the balance was then.
    pub found: Money,
    /// When it was last seen.
    pub seen_at: String,
    /// When somebody took note of it.
    pub acknowledged_at: Option<String>,
    /// Who.
    pub acknowledged_by: Option<String>,
}

impl BalanceView {
    /// Shows `balance`.
    #[must_use]
    pub fn of(balance: &Balance) -> Self {
        Self { balance: balance.balance, held: balance.held, available: balance.available() }
    }
}

impl MoneyView {
    /// Shows `wallet`.
    #[must_use]
    pub fn of(wallet: &WalletView, currency: &str) -> Self {
        Self {
            currency: currency.to_owned(),
            wallet: wallet.balance.as_ref().map(BalanceView::of),
            ledger: wallet.ledger.balance,
            credits_pending: wallet.ledger.pending,
        }
    }
}

impl LineView {
    /// Shows `line`.
    #[must_use]
    pub fn of(line: &LedgerLine) -> Self {
        Self {
            id: line.id.to_string(),
            kind: line.kind.as_str().into(),
            amount: line.amount,
            state: line.state.as_str().into(),
            note: line.note.clone(),
            session: line.session.map(|id| id.to_string()),
            message: line.message.map(|id| id.to_string()),
            at: line.at.to_string(),
        }
    }
}

impl DifferenceView {
    /// Shows `difference`.
    #[must_use]
    pub fn of(difference: &WalletDifference) -> Self {
        Self {
            id: Self::name(difference.tenant, difference.at),
            tenant: difference.tenant.to_string(),
            at: difference.at.to_string(),
            expected: difference.expected,
            found: difference.found,
            seen_at: difference.seen_at.to_string(),
            acknowledged_at: text(difference.acknowledged_at),
            acknowledged_by: difference.acknowledged_by.clone(),
        }
    }

    /// What a difference is called: its tenant, and the moment at which it was first seen.
    #[must_use]
    pub fn name(tenant: TenantId, at: Timestamp) -> String {
        format!("{tenant}-{}", at.millis())
    }

    /// Reads what [`DifferenceView::name`] wrote.
    #[must_use]
    pub fn read(name: &str) -> Option<(TenantId, Timestamp)> {
        let (tenant, at) = name.split_once('-')?;
        Some((tenant.parse().ok()?, Timestamp::from_millis(at.parse().ok()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_differences_name_can_be_read_again() {
        let (tenant, at) = (TenantId::from_bits(7), Timestamp::from_millis(1_768_473_900_000));
        assert_eq!(DifferenceView::read(&DifferenceView::name(tenant, at)), Some((tenant, at)));
        assert_eq!(DifferenceView::read("ten_x-1"), None);
    }
}
