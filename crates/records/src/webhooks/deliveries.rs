//! Events on their way to endpoints, and the log of what came of it.

use std::time::Duration;

use countersign_model::{DeliveryId, EndpointId, TenantId, Timestamp, WebhookEvent, WebhookFormat};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::posting::{self, Attempted, Claimed};
use crate::RecordsError;
use crate::columns::Stored;
use crate::many::insert_many;
use crate::transaction::{On, change};
use crate::words::words;

/// What [`read`] reads.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT id, tenant_id, endpoint_id, event_id, event_type, body, format, state, attempts, next_at, created_at, ended_at, replay_of ",
            "FROM webhook_deliveries ",
            $which
        )
    };
}

words! {
    /// How far a delivery is.
    DeliveryState {
        /// It will be tried, or is being tried.
        Pending = "pending",
        /// The endpoint took it.
        Delivered = "delivered",
        /// Its attempts or its time are used up, or the endpoint said that it is gone.
        Failed = "failed",
        /// Its endpoint is gone: it will not be tried.
        Discarded = "discarded",
    }
}

/// An event for an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// Whose.
    pub tenant: TenantId,
    /// Where to.
    pub endpoint: EndpointId,
    /// What the receiver knows the event by.
    pub event_id: String,
    /// What happened.
    pub event: WebhookEvent,
    /// What is posted, byte for byte.
    pub body: String,
    /// How the body is spelt, and how it is to be signed.
    pub format: WebhookFormat,
    /// When it was made; it is due at once.
    pub at: Timestamp,
}

/// A delivery, as the log of deliveries shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// Whose.
    pub tenant: TenantId,
    /// Where to; the endpoint may be gone.
    pub endpoint: EndpointId,
    /// What the receiver knows the event by.
    pub event_id: String,
    /// What happened.
    pub event: WebhookEvent,
    /// What is posted, byte for byte.
    pub body: String,
    /// How the body is spelt, and how it is to be signed.
    pub format: WebhookFormat,
    /// How far it is.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, while it is pending.
    pub next_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When nothing more was to be done.
    pub ended_at: Option<Timestamp>,
    /// The delivery that this one repeats.
    pub replay_of: Option<DeliveryId>,
}

/// One try at one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryAttempt {
    /// Counts from 1.
    pub number: u32,
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in whole milliseconds.
    pub took: Duration,
    /// What the endpoint answered, if it did.
    pub status: Option<u16>,
    /// What it said with a refusal: the receiver's own words, cut short.
    pub response: Option<String>,
    /// What went wrong, for people.
    pub error: Option<String>,
}

/// Which deliveries are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeliveryFilter {
    /// Those to this endpoint.
    pub endpoint: Option<EndpointId>,
    /// Those that are so far.
    pub state: Option<DeliveryState>,
    /// Those before this one, to go on from a page.
    pub before: Option<DeliveryId>,
}

/// The table of deliveries. Made by [`Records::webhook_deliveries`](crate::Records::webhook_deliveries).
#[derive(Debug)]
pub struct WebhookDeliveries<'a> {
    pub(crate) on: On<'a>,
}

impl WebhookDeliveries<'_> {
    /// Puts events on their way. Belongs into the transaction of what they tell of.
    pub async fn insert(self, deliveries: &[NewDelivery]) -> Result<(), RecordsError> {
        change!(self.on, |connection| insert(connection, deliveries).await)
    }

    /// The endpoints for which something is due, at most `of_each` of a tenant, the one that waits longest first. Tenants take turns in the
    /// list: whatever waits for one of them, the others' first endpoints stand before its second. Disabled ones are left out.
    pub async fn due(self, now: Timestamp, of_each: u32, limit: u32) -> Result<Vec<(TenantId, EndpointId)>, RecordsError> {
        posting::due(&mut *self.on.reader().await?, now, of_each, limit).await
    }

    /// Puts off to `until` whatever is due for an endpoint and is nobody's at the moment; what was tried least comes first then. Not an attempt.
    pub async fn put_off(self, endpoint: EndpointId, now: Timestamp, until: Timestamp) -> Result<(), RecordsError> {
        change!(self.on, |connection| posting::put_off(connection, endpoint, now, until).await)
    }

    /// Takes due deliveries of an endpoint for `lease`, at most `limit`, the longest due first. Nobody else gets them meanwhile; one whose
    /// worker never reports is due again afterwards.
    pub async fn claim(
        self,
        endpoint: EndpointId,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<Claimed>, RecordsError> {
        change!(self.on, |connection| posting::claim(connection, endpoint, now, lease, limit).await)
    }

    /// Writes an attempt down and what follows from it. Tells whether it counted: not when somebody else had tried meanwhile.
    pub async fn attempted(self, attempted: &Attempted) -> Result<bool, RecordsError> {
        change!(self.on, |connection| posting::attempted(connection, attempted).await)
    }

    /// Gives back what was claimed and not tried.
    pub async fn release(self, deliveries: &[DeliveryId]) -> Result<(), RecordsError> {
        change!(self.on, |connection| {
            for id in deliveries {
                sqlx::query("UPDATE webhook_deliveries SET leased_until = 0 WHERE id = $1 AND state = 'pending'")
                    .bind(id.to_string())
                    .execute(&mut *connection)
                    .await?;
            }
            Ok(())
        })
    }

    /// Ends what was made up to a moment and still waits, at most `limit`, the oldest first, and tells how many that were.
    pub async fn fail_older(self, before: Timestamp, now: Timestamp, limit: u32) -> Result<u64, RecordsError> {
        change!(self.on, |connection| {
            let failed = sqlx::query(
                "UPDATE webhook_deliveries SET state = 'failed', ended_at = $2 WHERE id IN (SELECT id FROM webhook_deliveries \
                 WHERE state = 'pending' AND created_at <= $1 AND leased_until <= $2 ORDER BY created_at, id LIMIT $3) AND state = 'pending'",
            )
            .bind(before.millis())
            .bind(now.millis())
            .bind(i64::from(limit))
            .execute(connection)
            .await?;
            Ok(failed.rows_affected())
        })
    }

    /// The delivery with this id, where the tenant has it.
    pub async fn find(self, tenant: TenantId, id: DeliveryId) -> Result<Option<Delivery>, RecordsError> {
        find(&mut *self.on.reader().await?, tenant, id).await
    }

    /// Deliveries of a tenant, newest first, at most `limit`.
    pub async fn list(self, tenant: TenantId, filter: DeliveryFilter, limit: u32) -> Result<Vec<Delivery>, RecordsError> {
        list(&mut *self.on.reader().await?, tenant, filter, limit).await
    }

    /// The attempts at a delivery, first to last. Whose it is, [`WebhookDeliveries::find`] has said.
    pub async fn attempts(self, id: DeliveryId) -> Result<Vec<DeliveryAttempt>, RecordsError> {
        let rows = sqlx::query(
            "SELECT number, at, duration_ms, status, response, error FROM webhook_attempts WHERE delivery_id = $1 ORDER BY number",
        )
        .bind(id.to_string())
        .fetch_all(&mut *self.on.reader().await?)
        .await?;
        rows.iter().map(read_attempt).collect()
    }

    /// Posts a delivery that has ended once more, as a new one with the same event id and body, due at once. None where the tenant has no
    /// such delivery, it is pending still, or its endpoint is gone.
    pub async fn replay(
        self,
        tenant: TenantId,
        id: DeliveryId,
        new: DeliveryId,
        at: Timestamp,
    ) -> Result<Option<Delivery>, RecordsError> {
        change!(self.on, |connection| {
            sqlx::query(
                "INSERT INTO webhook_deliveries (id, tenant_id, endpoint_id, event_id, event_type, body, format, state, attempts, \
                 next_at, leased_until, created_at, replay_of) \
                 SELECT $3, tenant_id, endpoint_id, event_id, event_type, body, format, 'pending', 0, $4, 0, $4, id FROM webhook_deliveries \
                 WHERE tenant_id = $1 AND id = $2 AND state <> 'pending' \
                 AND EXISTS (SELECT 1 FROM webhook_endpoints WHERE webhook_endpoints.id = webhook_deliveries.endpoint_id)",
            )
            .bind(tenant.to_string())
            .bind(id.to_string())
            .bind(new.to_string())
            .bind(at.millis())
            .execute(&mut *connection)
            .await?;
            find(connection, tenant, new).await
        })
    }

    /// How many are pending, counted up to `most`.
    pub async fn count_pending(self, most: u32) -> Result<u64, RecordsError> {
        let count: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM (SELECT 1 FROM webhook_deliveries WHERE state = 'pending' LIMIT $1) AS pending",
        )
        .bind(i64::from(most))
        .fetch_one(&mut *self.on.reader().await?)
        .await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Removes deliveries that ended before a moment, with their attempts, at most `limit`, and tells how many.
    pub async fn sweep(self, before: Timestamp, limit: u32) -> Result<u64, RecordsError> {
        change!(self.on, |connection| sweep(connection, before, limit).await)
    }
}

async fn insert(connection: &mut AnyConnection, deliveries: &[NewDelivery]) -> Result<(), RecordsError> {
    insert_many(
        connection,
        "INSERT INTO webhook_deliveries (id, tenant_id, endpoint_id, event_id, event_type, body, state, attempts, next_at, leased_until, created_at, \
         format)",
        12,
        "",
        deliveries,
        |query, delivery| {
            Ok(query
                .bind(delivery.id.to_string())
                .bind(delivery.tenant.to_string())
                .bind(delivery.endpoint.to_string())
                .bind(delivery.event_id.clone())
                .bind(delivery.event.as_str())
                .bind(delivery.body.clone())
                .bind(DeliveryState::Pending.as_str())
                .bind(0_i64)
                .bind(delivery.at.millis())
                .bind(0_i64)
                .bind(delivery.at.millis())
                .bind(delivery.format.as_str()))
        },
    )
    .await
}

async fn find(connection: &mut AnyConnection, tenant: TenantId, id: DeliveryId) -> Result<Option<Delivery>, RecordsError> {
    let row = sqlx::query(select!("WHERE tenant_id = $1 AND id = $2"))
        .bind(tenant.to_string())
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

async fn list(
    connection: &mut AnyConnection,
    tenant: TenantId,
    filter: DeliveryFilter,
    limit: u32,
) -> Result<Vec<Delivery>, RecordsError> {
    // Behind the last letter that an id can begin with.
    let before = filter.before.map_or_else(|| "whd_~".to_owned(), |id| id.to_string());
    let state = filter.state.map(DeliveryState::as_str);
    let query = match filter.endpoint {
        Some(endpoint) => sqlx::query(select!(
            "WHERE endpoint_id = $5 AND tenant_id = $1 AND id < $2 AND state = COALESCE($4, state) ORDER BY id DESC LIMIT $3"
        ))
        .bind(tenant.to_string())
        .bind(before)
        .bind(i64::from(limit))
        .bind(state)
        .bind(endpoint.to_string()),
        None => {
            sqlx::query(select!("WHERE tenant_id = $1 AND id < $2 AND state = COALESCE($4, state) ORDER BY id DESC LIMIT $3"))
                .bind(tenant.to_string())
                .bind(before)
                .bind(i64::from(limit))
                .bind(state)
        }
    };
    query.fetch_all(connection).await?.iter().map(read).collect()
}

async fn sweep(connection: &mut AnyConnection, before: Timestamp, limit: u32) -> Result<u64, RecordsError> {
    sqlx::query(
        "DELETE FROM webhook_attempts WHERE delivery_id IN \
         (SELECT id FROM webhook_deliveries WHERE ended_at < $1 ORDER BY ended_at, id LIMIT $2)",
    )
    .bind(before.millis())
    .bind(i64::from(limit))
    .execute(&mut *connection)
    .await?;
    let gone = sqlx::query(
        "DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries WHERE ended_at < $1 ORDER BY ended_at, id LIMIT $2)",
    )
    .bind(before.millis())
    .bind(i64::from(limit))
    .execute(connection)
    .await?;
    Ok(gone.rows_affected())
}

pub(super) fn read(row: &AnyRow) -> Result<Delivery, RecordsError> {
    let stored = Stored { record: "delivery", row };
    Ok(Delivery {
        id: stored.parsed("id")?,
        tenant: stored.parsed("tenant_id")?,
        endpoint: stored.parsed("endpoint_id")?,
        event_id: stored.text("event_id")?,
        event: stored.parsed("event_type")?,
        body: stored.text("body")?,
        format: stored.parsed("format")?,
        state: stored.parsed("state")?,
        attempts: stored.number("attempts")?,
        next_at: stored.moment("next_at")?,
        created_at: stored.moment("created_at")?,
        ended_at: stored.moment_or_none("ended_at")?,
        replay_of: stored.parsed_or_none("replay_of")?,
    })
}

fn read_attempt(row: &AnyRow) -> Result<DeliveryAttempt, RecordsError> {
    let stored = Stored { record: "delivery attempt", row };
    let status: Option<i64> = row.try_get("status").map_err(|_| stored.corrupt("status"))?;
    Ok(DeliveryAttempt {
        number: stored.number("number")?,
        at: stored.moment("at")?,
        took: Duration::from_millis(stored.number("duration_ms")?),
        status: status.map(u16::try_from).transpose().map_err(|_| stored.corrupt("status"))?,
        response: stored.text_or_none("response")?,
        error: stored.text_or_none("error")?,
    })
}
