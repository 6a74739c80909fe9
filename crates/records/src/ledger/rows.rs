//! Looks into the ledger.

use std::collections::BTreeMap;

use countersign_model::{Money, TenantId};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{LedgerLine, LedgerSum, LineFilter, NewCapture};
use crate::RecordsError;
use crate::columns::Stored;
use crate::projection::money;

/// What [`read`] reads.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT id, tenant_id, number, kind, amount, event_id, session_id, message_id, note, call_id, state, at FROM ledger ",
            $which
        )
    };
}
pub(super) use select;

/// Makes a tenant's ledger the transaction's own until it ends. Does nothing where there is none.
pub(super) async fn credit_numbers(connection: &mut AnyConnection, tenant: TenantId) -> Result<(), RecordsError> {
    sqlx::query("UPDATE wallets SET credits = credits WHERE tenant_id = $1").bind(tenant.to_string()).execute(connection).await?;
    Ok(())
}

pub(super) async fn by_call(
    connection: &mut AnyConnection,
    tenant: TenantId,
    call: &str,
) -> Result<Option<LedgerLine>, RecordsError> {
    let row = sqlx::query(select!("WHERE tenant_id = $1 AND call_id = $2"))
        .bind(tenant.to_string())
        .bind(call)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn sum(connection: &mut AnyConnection, tenant: TenantId) -> Result<LedgerSum, RecordsError> {
    let row = sqlx::query(
        "SELECT balance, credits, (SELECT COUNT(*) FROM ledger WHERE tenant_id = $1 AND state = 'pending') AS pending \
         FROM wallets WHERE tenant_id = $1",
    )
    .bind(tenant.to_string())
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(LedgerSum::default()) };
    let stored = Stored { record: "wallet", row: &row };
    Ok(LedgerSum { balance: money(&stored, "balance")?, credits: stored.number("credits")?, pending: stored.number("pending")? })
}

pub(super) async fn tenants(
    connection: &mut AnyConnection,
    after: Option<TenantId>,
    limit: u32,
) -> Result<Vec<TenantId>, RecordsError> {
    let rows = sqlx::query("SELECT tenant_id FROM wallets WHERE tenant_id > $1 ORDER BY tenant_id LIMIT $2")
        .bind(after.map(|tenant| tenant.to_string()).unwrap_or_default())
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Stored { record: "wallet", row }.parsed("tenant_id")).collect()
}

pub(super) async fn list(
    connection: &mut AnyConnection,
    tenant: TenantId,
    filter: LineFilter,
    limit: u32,
) -> Result<Vec<LedgerLine>, RecordsError> {
    // Behind the last letter that an id can begin with.
    let before = filter.before.map_or_else(|| "led_~".to_owned(), |id| id.to_string());
    let query = match filter.kind {
        Some(kind) => sqlx::query(select!("WHERE tenant_id = $1 AND id < $2 AND kind = $4 ORDER BY id DESC LIMIT $3"))
            .bind(tenant.to_string())
            .bind(before)
            .bind(i64::from(limit))
            .bind(kind.as_str()),
        None => sqlx::query(select!("WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"))
            .bind(tenant.to_string())
            .bind(before)
            .bind(i64::from(limit)),
    };
    query.fetch_all(connection).await?.iter().map(read).collect()
}

/// What is taken from each tenant, in the order of their ids: two transactions lock rows in one order.
pub(super) fn by_tenant(captures: &[NewCapture]) -> BTreeMap<TenantId, Money> {
    let mut taken = BTreeMap::new();
    for line in captures {
        let sum = taken.entry(line.tenant).or_insert(Money::ZERO);
        *sum = *sum + line.amount;
    }
    taken
}

pub(super) fn read(row: &AnyRow) -> Result<LedgerLine, RecordsError> {
    let stored = Stored { record: "ledger line", row };
    let number: Option<i64> = row.try_get("number").map_err(|_| stored.corrupt("number"))?;
    Ok(LedgerLine {
        id: stored.parsed("id")?,
        tenant: stored.parsed("tenant_id")?,
        number: number.map(u64::try_from).transpose().map_err(|_| stored.corrupt("number"))?,
        kind: stored.parsed("kind")?,
        amount: money(&stored, "amount")?,
        event: stored.text_or_none("event_id")?,
        session: stored.parsed_or_none("session_id")?,
        message: stored.parsed_or_none("message_id")?,
        note: stored.text("note")?,
        call: stored.text_or_none("call_id")?,
        state: stored.parsed("state")?,
        at: stored.moment("at")?,
    })
}
