//! Holding the balance that admits sends against the ledger.

use std::time::Duration;

use countersign_model::{Money, TenantId, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::RecordsError;
use crate::columns::Stored;
use crate::projection::money;
use crate::transaction::{On, change};

/// How far the clocks of two machines, and the settling of a credit from its being taken, may lie apart.
const SLACK: Duration = Duration::from_mins(1);

/// A balance as it was at a moment of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutFound {
    /// Whose.
    pub tenant: TenantId,
    /// Credits less captures, by the store that admits sends.
    pub balance: Money,
    /// How many credits are in it.
    pub credits: u64,
    /// When that was.
    pub at: Timestamp,
}

/// What the ledger says to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutVerdict {
    /// The same.
    Equal,
    /// Something else; a difference stands until somebody acknowledges it.
    Unequal {
        /// What the ledger comes to.
        expected: Money,
        /// Whether it was not known before.
        is_new: bool,
    },
    /// Nothing: it was compared before, or whether a withdrawal went through is not known yet.
    Undecided,
}

/// A balance that was not what the ledger says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletDifference {
    /// Whose.
    pub tenant: TenantId,
    /// When it was first seen. With the tenant, its name.
    pub at: Timestamp,
    /// What the ledger came to then.
    pub expected: Money,
    /// What the balance was then.
    pub found: Money,
    /// The last cut that showed the same difference.
    pub seen_at: Timestamp,
    /// When somebody took note of it.
    pub acknowledged_at: Option<Timestamp>,
    /// Who.
    pub acknowledged_by: Option<String>,
}

/// The table of differences. Made by [`Records::wallet_differences`](crate::Records::wallet_differences).
#[derive(Debug)]
pub struct WalletDifferences<'a> {
    pub(crate) on: On<'a>,
}

impl WalletDifferences<'_> {
    /// Compares a balance with the ledger and remembers a difference. Belongs into a transaction that has booked every capture the log
    /// tells of before the cut, and none that it tells of later.
    pub async fn compare(self, found: CutFound) -> Result<CutVerdict, RecordsError> {
        change!(self.on, |connection| compare(connection, found).await)
    }

    /// The newest, at most `limit`; only those nobody has acknowledged, if `open`.
    pub async fn list(self, open: bool, limit: u32) -> Result<Vec<WalletDifference>, RecordsError> {
        let select = if open {
            "SELECT tenant_id, at, expected, found, seen_at, acknowledged_at, acknowledged_by FROM wallet_differences \
             WHERE acknowledged_at IS NULL ORDER BY at DESC, tenant_id LIMIT $1"
        } else {
            "SELECT tenant_id, at, expected, found, seen_at, acknowledged_at, acknowledged_by FROM wallet_differences \
             ORDER BY at DESC, tenant_id LIMIT $1"
        };
        let rows = sqlx::query(select).bind(i64::from(limit)).fetch_all(&mut *self.on.reader().await?).await?;
        rows.iter().map(read).collect()
    }

    /// How many nobody has acknowledged.
    pub async fn count_open(self) -> Result<u64, RecordsError> {
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM wallet_differences WHERE acknowledged_at IS NULL")
            .fetch_one(&mut *self.on.reader().await?)
            .await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Takes note of a difference, and tells whether there is one of this name. The first note counts.
    pub async fn acknowledge(self, tenant: TenantId, of: Timestamp, who: &str, at: Timestamp) -> Result<bool, RecordsError> {
        change!(self.on, |connection| {
            let noted = sqlx::query(
                "UPDATE wallet_differences SET acknowledged_at = COALESCE(acknowledged_at, $3), acknowledged_by = COALESCE(acknowledged_by, $4) \
                 WHERE tenant_id = $1 AND at = $2",
            )
            .bind(tenant.to_string())
            .bind(of.millis())
            .bind(at.millis())
            .bind(who)
            .execute(connection)
            .await?;
            Ok(noted.rows_affected() > 0)
        })
    }
}

async fn compare(connection: &mut AnyConnection, found: CutFound) -> Result<CutVerdict, RecordsError> {
    let (tenant, credits) = (found.tenant.to_string(), i64::try_from(found.credits).unwrap_or(i64::MAX));
    // Also where nothing was ever booked: then the balance must be nothing.
    sqlx::query(
        "INSERT INTO wallets (tenant_id, credits, balance, cut_at) VALUES ($1, 0, 0, 0) ON CONFLICT (tenant_id) DO NOTHING",
    )
    .bind(&tenant)
    .execute(&mut *connection)
    .await?;
    // The row is the transaction's from here on: nothing is booked between one look and the next.
    let row = sqlx::query("UPDATE wallets SET cut_at = cut_at WHERE tenant_id = $1 RETURNING balance, cut_at")
        .bind(&tenant)
        .fetch_one(&mut *connection)
        .await?;
    let wallet = Stored { record: "wallet", row: &row };
    let (booked, last_cut) = (money(&wallet, "balance")?, wallet.moment("cut_at")?);
    if found.at <= last_cut {
        return Ok(CutVerdict::Undecided);
    }
    // What is numbered after the cut's credits had not been taken into the balance then, unless it was long before the cut.
    let later = sqlx::query(
        "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) AS amount, \
         (SELECT COUNT(*) FROM ledger WHERE tenant_id = $1 AND number <= $2 AND state = 'pending' AND amount < 0) AS unknown \
         FROM ledger WHERE tenant_id = $1 AND number > $2 AND state <> 'refused' AND (settled_at IS NULL OR settled_at > $3)",
    )
    .bind(&tenant)
    .bind(credits)
    .bind(found.at.minus(SLACK).millis())
    .fetch_one(&mut *connection)
    .await?;
    if later.try_get::<i64, _>("unknown")? > 0 {
        return Ok(CutVerdict::Undecided);
    }
    sqlx::query("UPDATE wallets SET cut_at = $2 WHERE tenant_id = $1")
        .bind(&tenant)
        .bind(found.at.millis())
        .execute(&mut *connection)
        .await?;
    let expected = booked - money(&Stored { record: "ledger", row: &later }, "amount")?;
    if expected == found.balance {
        return Ok(CutVerdict::Equal);
    }
    let is_new = remember(connection, found, expected, last_cut).await?;
    Ok(CutVerdict::Unequal { expected, is_new })
}

/// Remembers a difference. One of the same size is the same one while nobody has taken note of it, and afterwards as long as each cut has
/// shown it: who took note of it is not told again.
async fn remember(
    connection: &mut AnyConnection,
    found: CutFound,
    expected: Money,
    last_cut: Timestamp,
) -> Result<bool, RecordsError> {
    let known = sqlx::query(
        "UPDATE wallet_differences SET seen_at = $2 WHERE tenant_id = $1 AND found - expected = $3 \
         AND (acknowledged_at IS NULL OR seen_at = $4)",
    )
    .bind(found.tenant.to_string())
    .bind(found.at.millis())
    .bind((found.balance - expected).micros())
    .bind(last_cut.millis())
    .execute(&mut *connection)
    .await?;
    if known.rows_affected() > 0 {
        return Ok(false);
    }
    sqlx::query(
        "INSERT INTO wallet_differences (tenant_id, at, expected, found, seen_at) VALUES ($1, $2, $3, $4, $2) \
         ON CONFLICT (tenant_id, at) DO NOTHING",
    )
    .bind(found.tenant.to_string())
    .bind(found.at.millis())
    .bind(expected.micros())
    .bind(found.balance.micros())
    .execute(connection)
    .await?;
    Ok(true)
}

fn read(row: &AnyRow) -> Result<WalletDifference, RecordsError> {
    let stored = Stored { record: "wallet difference", row };
    Ok(WalletDifference {
        tenant: stored.parsed("tenant_id")?,
        at: stored.moment("at")?,
        expected: money(&stored, "expected")?,
        found: money(&stored, "found")?,
        seen_at: stored.moment("seen_at")?,
        acknowledged_at: stored.moment_or_none("acknowledged_at")?,
        acknowledged_by: stored.text_or_none("acknowledged_by")?,
    })
}
