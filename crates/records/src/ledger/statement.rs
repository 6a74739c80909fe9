//! A tenant's ledger as its owner reads it: each line with what was left after it.

use countersign_model::{LedgerId, Money, TenantId, Timestamp};
use sqlx::{AnyConnection, AssertSqlSafe};

use super::LedgerLine;
use super::rows::read;
use crate::RecordsError;
use crate::words::words;

words! {
    /// What a line of a statement is.
    EntryKind {
        /// Paid in, or put right upwards.
        Credit = "credit",
        /// Taken for a message or a verification.
        Debit = "debit",
        /// Given back. Nothing that was taken ever is: what is not certain to cost is only held.
        Refund = "refund",
        /// Put right downwards.
        Clawback = "clawback",
    }
}

/// Which lines of a statement are wanted. What was refused is in none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatementFilter {
    /// Those of this kind.
    pub kind: Option<EntryKind>,
    /// Booked at or after.
    pub from: Option<Timestamp>,
    /// Booked before.
    pub to: Option<Timestamp>,
}

/// A line of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    /// What it is to its owner.
    pub kind: EntryKind,
    /// As it stands in the ledger.
    pub line: LedgerLine,
    /// What the ledger came to with it.
    pub balance: Money,
}

impl EntryKind {
    fn of(line: &LedgerLine) -> Self {
        match line.kind {
            super::LineKind::Capture | super::LineKind::Fee => Self::Debit,
            super::LineKind::Adjustment if line.amount < Money::ZERO => Self::Clawback,
            super::LineKind::Credit | super::LineKind::Adjustment => Self::Credit,
        }
    }

    /// What a line of this kind is, behind the other conditions.
    const fn condition(self) -> &'static str {
        match self {
            Self::Credit => " AND kind IN ('credit', 'adjustment') AND amount > 0",
            Self::Debit => " AND kind IN ('capture', 'fee')",
            Self::Refund => " AND 1 = 0",
            Self::Clawback => " AND kind = 'adjustment' AND amount < 0",
        }
    }
}

/// Lines behind `after`, newest first, at most `limit`.
pub(super) async fn read_statement(
    connection: &mut AnyConnection,
    tenant: TenantId,
    filter: StatementFilter,
    after: Option<LedgerId>,
    limit: u32,
) -> Result<Vec<StatementLine>, RecordsError> {
    let text = format!(
        "SELECT id, tenant_id, number, kind, amount, event_id, session_id, message_id, note, call_id, state, at FROM ledger \
         WHERE tenant_id = $1 AND id < $2 AND state <> 'refused' AND at >= $3 AND at < $4{} ORDER BY id DESC LIMIT $5",
        filter.kind.map_or("", EntryKind::condition)
    );
    let rows = sqlx::query(AssertSqlSafe(text))
        .bind(tenant.to_string())
        // Behind the last letter that an id can begin with.
        .bind(after.map_or_else(|| "led_~".to_owned(), |id| id.to_string()))
        .bind(filter.from.map_or(i64::MIN, Timestamp::millis))
        .bind(filter.to.map_or(i64::MAX, Timestamp::millis))
        .bind(i64::from(limit))
        .fetch_all(&mut *connection)
        .await?;
    let mut lines: Vec<StatementLine> = Vec::with_capacity(rows.len());
    for row in &rows {
        let line = read(row)?;
        let balance = match lines.last() {
            None => newest_balance(&mut *connection, &line).await?,
            Some(newer) => newer.balance - between(&mut *connection, &line, &newer.line).await?,
        };
        lines.push(StatementLine { kind: EntryKind::of(&line), line, balance });
    }
    Ok(lines)
}

/// What the ledger came to with a line: what it comes to now, without what came later.
async fn newest_balance(connection: &mut AnyConnection, line: &LedgerLine) -> Result<Money, RecordsError> {
    let micros = sqlx::query_scalar(
        "SELECT CAST(balance - (SELECT COALESCE(SUM(amount), 0) FROM ledger WHERE tenant_id = $1 AND id > $2 AND state <> 'refused') AS BIGINT) \
         FROM wallets WHERE tenant_id = $1",
    )
    .bind(line.tenant.to_string())
    .bind(line.id.to_string())
    .fetch_one(connection)
    .await?;
    amount(micros)
}

/// What was booked after a line, up to and with a newer one.
async fn between(connection: &mut AnyConnection, older: &LedgerLine, newer: &LedgerLine) -> Result<Money, RecordsError> {
    let micros = sqlx::query_scalar(
        "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM ledger WHERE tenant_id = $1 AND id > $2 AND id <= $3 AND state <> 'refused'",
    )
    .bind(older.tenant.to_string())
    .bind(older.id.to_string())
    .bind(newer.id.to_string())
    .fetch_one(connection)
    .await?;
    amount(micros)
}

fn amount(micros: i64) -> Result<Money, RecordsError> {
    Money::from_micros(micros).ok_or(RecordsError::Corrupt { record: "ledger", field: "balance" })
}
