//! What was paid in and what was taken: the truth about money.

mod cut;
mod rows;
mod statement;

use countersign_model::{LedgerId, MessageId, Money, SessionId, TenantId, Timestamp};
use sqlx::AnyConnection;

pub use self::cut::{CutFound, CutVerdict, WalletDifference, WalletDifferences};
use self::rows::{by_call, credit_numbers, read, select};
pub use self::statement::{EntryKind, StatementFilter, StatementLine};
use crate::RecordsError;
use crate::many::insert_many;
use crate::transaction::{On, change};
use crate::words::words;

words! {
    /// What a line of the ledger is.
    LineKind {
        /// Paid in.
        Credit = "credit",
        /// Put right by hand, either way.
        Adjustment = "adjustment",
        /// Taken for a message.
        Capture = "capture",
        /// Taken for a verification.
        Fee = "fee",
    }
}

words! {
    /// Whether a line is in the balance that admits sends.
    LineState {
        /// Not yet known to be.
        Pending = "pending",
        /// It is.
        Applied = "applied",
        /// It took more than there was: it never will be, and counts for nothing.
        Refused = "refused",
    }
}

/// One line of a tenant's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerLine {
    /// Its id.
    pub id: LedgerId,
    /// Whose.
    pub tenant: TenantId,
    /// Of credits and adjustments that move the balance which admits sends: 1, 2, 3, without gaps in their tenant.
    pub number: Option<u64>,
    /// What it is.
    pub kind: LineKind,
    /// Below zero: taken.
    pub amount: Money,
    /// Of captures and fees: the event they come from.
    pub event: Option<String>,
    /// Of captures and fees: the session.
    pub session: Option<SessionId>,
    /// Of captures: the message.
    pub message: Option<MessageId>,
    /// For people.
    pub note: String,
    /// Of credits and adjustments: by which a repeated call is known.
    pub call: Option<String>,
    /// Whether it is in the balance that admits sends.
    pub state: LineState,
    /// When.
    pub at: Timestamp,
}

/// A credit, or an adjustment either way, that is to be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCredit {
    /// Its id.
    pub id: LedgerId,
    /// Whose.
    pub tenant: TenantId,
    /// [`LineKind::Credit`] or [`LineKind::Adjustment`].
    pub kind: LineKind,
    /// How much.
    pub amount: Money,
    /// For people.
    pub note: String,
    /// By which a repeated call is known; unique in the tenant.
    pub call: String,
    /// When.
    pub at: Timestamp,
}

/// What booking came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Booked {
    /// It is in the ledger now, with its number.
    New(LedgerLine),
    /// An earlier call booked it.
    Before(LedgerLine),
    /// An earlier call of the same name was about something else.
    Other,
}

/// What a session's message or verification cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCapture {
    /// The line's id.
    pub id: LedgerId,
    /// Whose.
    pub tenant: TenantId,
    /// How much was taken; above zero.
    pub amount: Money,
    /// The event that says so; unique.
    pub event: String,
    /// The session.
    pub session: SessionId,
    /// The message; none: the verification fee.
    pub message: Option<MessageId>,
    /// When.
    pub at: Timestamp,
}

/// What the ledger comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LedgerSum {
    /// Everything but what was refused.
    pub balance: Money,
    /// Number of the newest credit or adjustment.
    pub credits: u64,
    /// How many of them are not yet known to be in the balance that admits sends.
    pub pending: u64,
}

/// Which lines are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineFilter {
    /// Those of this kind.
    pub kind: Option<LineKind>,
    /// Those before this one, to go on from a page.
    pub before: Option<LedgerId>,
}

/// The ledgers of all tenants. Made by [`Records::ledger`](crate::Records::ledger).
#[derive(Debug)]
pub struct Ledger<'a> {
    pub(crate) on: On<'a>,
}

impl Ledger<'_> {
    /// Books a credit under the tenant's next number, pending until [`Ledger::settle`]. No such tenant: [`RecordsError::Missing`].
    pub async fn book(self, credit: &NewCredit) -> Result<Booked, RecordsError> {
        change!(self.on, |connection| book(connection, credit).await)
    }

    /// Books a line that the balance which admits sends is not to hear of: it has the amount, or lacks it, already. So the line has no number and
    /// is applied as it is booked. No such tenant: [`RecordsError::Missing`]; a line of that call: [`RecordsError::Exists`].
    pub async fn correct(self, line: &NewCredit) -> Result<LedgerLine, RecordsError> {
        change!(self.on, |connection| correct(connection, line).await)
    }

    /// Books what sessions cost. An event is booked once: twice is [`RecordsError::Exists`].
    pub async fn capture(self, captures: &[NewCapture]) -> Result<(), RecordsError> {
        change!(self.on, |connection| capture(connection, captures).await)
    }

    /// Credits that are not yet known to be in the balances that admit sends: the first of each tenant first.
    pub async fn pending(self, limit: u32) -> Result<Vec<LedgerLine>, RecordsError> {
        let rows = sqlx::query(select!("WHERE state = 'pending' ORDER BY tenant_id, number LIMIT $1"))
            .bind(i64::from(limit))
            .fetch_all(&mut *self.on.reader().await?)
            .await?;
        rows.iter().map(read).collect()
    }

    /// The pending credits of one tenant, in order.
    pub async fn pending_of(self, tenant: TenantId) -> Result<Vec<LedgerLine>, RecordsError> {
        let rows = sqlx::query(select!("WHERE tenant_id = $1 AND state = 'pending' ORDER BY number"))
            .bind(tenant.to_string())
            .fetch_all(&mut *self.on.reader().await?)
            .await?;
        rows.iter().map(read).collect()
    }

    /// Writes down what became of a pending credit, and tells whether it was still pending.
    pub async fn settle(self, tenant: TenantId, number: u64, taken: bool, at: Timestamp) -> Result<bool, RecordsError> {
        change!(self.on, |connection| settle(connection, tenant, number, taken, at).await)
    }

    /// Writes down that every credit up to `number` is in the balance that admits sends, which was set to this ledger's sum.
    pub async fn settle_up_to(self, tenant: TenantId, number: u64, at: Timestamp) -> Result<(), RecordsError> {
        change!(self.on, |connection| {
            sqlx::query(
                "UPDATE ledger SET state = 'applied', settled_at = $3 WHERE tenant_id = $1 AND number <= $2 AND state = 'pending'",
            )
            .bind(tenant.to_string())
            .bind(i64::try_from(number).unwrap_or(i64::MAX))
            .bind(at.millis())
            .execute(connection)
            .await?;
            Ok(())
        })
    }

    /// What a tenant's ledger comes to, however long it is; zero where it was never written.
    pub async fn sum(self, tenant: TenantId) -> Result<LedgerSum, RecordsError> {
        rows::sum(&mut *self.on.reader().await?, tenant).await
    }

    /// The tenants that have a ledger, after this one, in the order of their ids.
    pub async fn tenants(self, after: Option<TenantId>, limit: u32) -> Result<Vec<TenantId>, RecordsError> {
        rows::tenants(&mut *self.on.reader().await?, after, limit).await
    }

    /// Lines of a tenant's ledger, newest first, at most `limit`.
    pub async fn list(self, tenant: TenantId, filter: LineFilter, limit: u32) -> Result<Vec<LedgerLine>, RecordsError> {
        rows::list(&mut *self.on.reader().await?, tenant, filter, limit).await
    }

    /// The same as a statement: each line with what was left after it, and nothing of what was refused. `after`: where a page ended.
    pub async fn statement(
        self,
        tenant: TenantId,
        filter: StatementFilter,
        after: Option<LedgerId>,
        limit: u32,
    ) -> Result<Vec<StatementLine>, RecordsError> {
        statement::read_statement(&mut *self.on.reader().await?, tenant, filter, after, limit).await
    }
}

async fn book(connection: &mut AnyConnection, credit: &NewCredit) -> Result<Booked, RecordsError> {
    let (tenant, amount) = (credit.tenant, credit.amount.micros());
    // The row first: another call of the same name has ended when it is ours.
    let number: i64 = sqlx::query_scalar(
        "INSERT INTO wallets (tenant_id, credits, balance, cut_at) VALUES ($1, 1, $2, 0) \
         ON CONFLICT (tenant_id) DO UPDATE SET credits = wallets.credits + 1, balance = wallets.balance + excluded.balance RETURNING credits",
    )
    .bind(tenant.to_string())
    .bind(amount)
    .fetch_one(&mut *connection)
    .await?;
    if let Some(before) = by_call(&mut *connection, tenant, &credit.call).await? {
        sqlx::query("UPDATE wallets SET credits = credits - 1, balance = balance - $2 WHERE tenant_id = $1")
            .bind(tenant.to_string())
            .bind(amount)
            .execute(connection)
            .await?;
        let same = before.amount == credit.amount && before.kind == credit.kind;
        return Ok(if same { Booked::Before(before) } else { Booked::Other });
    }
    sqlx::query(
        "INSERT INTO ledger (id, tenant_id, number, kind, amount, note, call_id, state, at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8)",
    )
    .bind(credit.id.to_string())
    .bind(tenant.to_string())
    .bind(number)
    .bind(credit.kind.as_str())
    .bind(amount)
    .bind(&credit.note)
    .bind(&credit.call)
    .bind(credit.at.millis())
    .execute(connection)
    .await?;
    Ok(Booked::New(booked(credit, u64::try_from(number).ok(), LineState::Pending)))
}

async fn correct(connection: &mut AnyConnection, line: &NewCredit) -> Result<LedgerLine, RecordsError> {
    sqlx::query(
        "INSERT INTO wallets (tenant_id, credits, balance, cut_at) VALUES ($1, 0, $2, 0) \
         ON CONFLICT (tenant_id) DO UPDATE SET balance = wallets.balance + excluded.balance",
    )
    .bind(line.tenant.to_string())
    .bind(line.amount.micros())
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO ledger (id, tenant_id, kind, amount, note, call_id, state, settled_at, at) VALUES ($1, $2, $3, $4, $5, $6, 'applied', $7, $7)",
    )
    .bind(line.id.to_string())
    .bind(line.tenant.to_string())
    .bind(line.kind.as_str())
    .bind(line.amount.micros())
    .bind(&line.note)
    .bind(&line.call)
    .bind(line.at.millis())
    .execute(&mut *connection)
    .await?;
    // A sum that no amount can be is an error here, and nothing is booked.
    rows::sum(connection, line.tenant).await?;
    Ok(booked(line, None, LineState::Applied))
}

/// A line as it stands after it was booked.
fn booked(credit: &NewCredit, number: Option<u64>, state: LineState) -> LedgerLine {
    LedgerLine {
        id: credit.id,
        tenant: credit.tenant,
        number,
        kind: credit.kind,
        amount: credit.amount,
        event: None,
        session: None,
        message: None,
        note: credit.note.clone(),
        call: Some(credit.call.clone()),
        state,
        at: credit.at,
    }
}

async fn capture(connection: &mut AnyConnection, captures: &[NewCapture]) -> Result<(), RecordsError> {
    for (tenant, amount) in rows::by_tenant(captures) {
        sqlx::query(
            "INSERT INTO wallets (tenant_id, credits, balance, cut_at) VALUES ($1, 0, $2, 0) \
             ON CONFLICT (tenant_id) DO UPDATE SET balance = wallets.balance + excluded.balance",
        )
        .bind(tenant.to_string())
        .bind((-amount).micros())
        .execute(&mut *connection)
        .await?;
    }
    insert_many(
        connection,
        "INSERT INTO ledger (id, tenant_id, kind, amount, event_id, session_id, message_id, note, state, at)",
        10,
        "",
        captures,
        |query, line| {
            let kind = if line.message.is_some() { LineKind::Capture } else { LineKind::Fee };
            Ok(query
                .bind(line.id.to_string())
                .bind(line.tenant.to_string())
                .bind(kind.as_str())
                .bind((-line.amount).micros())
                .bind(line.event.clone())
                .bind(line.session.to_string())
                .bind(line.message.map(|id| id.to_string()))
                .bind("")
                .bind(LineState::Applied.as_str())
                .bind(line.at.millis()))
        },
    )
    .await
}

async fn settle(
    connection: &mut AnyConnection,
    tenant: TenantId,
    number: u64,
    taken: bool,
    at: Timestamp,
) -> Result<bool, RecordsError> {
    let state = if taken { LineState::Applied } else { LineState::Refused };
    credit_numbers(&mut *connection, tenant).await?;
    let amount: Option<i64> = sqlx::query_scalar(
        "UPDATE ledger SET state = $3, settled_at = $4 WHERE tenant_id = $1 AND number = $2 AND state = 'pending' RETURNING amount",
    )
    .bind(tenant.to_string())
    .bind(i64::try_from(number).unwrap_or(i64::MAX))
    .bind(state.as_str())
    .bind(at.millis())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(amount) = amount else { return Ok(false) };
    if !taken {
        sqlx::query("UPDATE wallets SET balance = balance - $2 WHERE tenant_id = $1")
            .bind(tenant.to_string())
            .bind(amount)
            .execute(connection)
            .await?;
    }
    Ok(true)
}
