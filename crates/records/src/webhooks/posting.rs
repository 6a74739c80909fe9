//! Who posts what: several nodes at once, each delivery by one of them at a time.

use std::time::Duration;

use countersign_model::{DeliveryId, EndpointId, TenantId, Timestamp};
use sqlx::AnyConnection;

use super::deliveries::{Delivery, DeliveryAttempt, DeliveryState, read};
use super::endpoints::{StoredSecrets, read_secrets};
use crate::RecordsError;
use crate::columns::Stored;

/// A delivery that is this worker's until its lease runs out, and what is needed to post it.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The delivery.
    pub delivery: Delivery,
    /// Where its endpoint is now.
    pub url: String,
    /// What signs it.
    pub secrets: StoredSecrets,
}

/// An attempt that was made, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempted {
    /// Which delivery.
    pub delivery: DeliveryId,
    /// The attempt; its number is one more than the delivery had.
    pub attempt: DeliveryAttempt,
    /// What the delivery is now.
    pub state: DeliveryState,
    /// When it is tried next, while it is pending; when it ended, otherwise.
    pub at: Timestamp,
}

/// One probe of an index for each endpoint, however much waits for any of them.
pub(super) async fn due(
    connection: &mut AnyConnection,
    now: Timestamp,
    of_each: u32,
    limit: u32,
) -> Result<Vec<(TenantId, EndpointId)>, RecordsError> {
    let rows = sqlx::query(
        "SELECT tenant_id, id FROM (SELECT tenant_id, id, longest, \
         ROW_NUMBER() OVER (PARTITION BY tenant_id ORDER BY longest, id) AS place FROM (SELECT tenant_id, id, \
         (SELECT next_at FROM webhook_deliveries WHERE endpoint_id = webhook_endpoints.id AND state = 'pending' AND next_at <= $1 \
         AND leased_until <= $1 ORDER BY next_at LIMIT 1) AS longest FROM webhook_endpoints WHERE disabled IS NULL) AS waiting \
         WHERE longest IS NOT NULL) AS turns WHERE place <= $2 ORDER BY place, longest, id LIMIT $3",
    )
    .bind(now.millis())
    .bind(i64::from(of_each))
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    let read = |row| {
        let stored = Stored { record: "endpoint", row };
        Ok((stored.parsed("tenant_id")?, stored.parsed("id")?))
    };
    rows.iter().map(read).collect()
}

/// A millisecond more for each attempt: what was tried least is tried first then, so that no delivery uses its attempts up for all.
pub(super) async fn put_off(
    connection: &mut AnyConnection,
    endpoint: EndpointId,
    now: Timestamp,
    until: Timestamp,
) -> Result<(), RecordsError> {
    sqlx::query(
        "UPDATE webhook_deliveries SET next_at = $3 + attempts WHERE endpoint_id = $1 AND state = 'pending' AND next_at <= $2 AND leased_until <= $2",
    )
    .bind(endpoint.to_string())
    .bind(now.millis())
    .bind(until.millis())
    .execute(connection)
    .await?;
    Ok(())
}

/// The condition stands twice: of two that choose the same rows, the second waits for the first and then finds them leased.
pub(super) async fn claim(
    connection: &mut AnyConnection,
    endpoint: EndpointId,
    now: Timestamp,
    lease: Duration,
    limit: usize,
) -> Result<Vec<Claimed>, RecordsError> {
    let target = sqlx::query(
        "SELECT url, secret, previous_secret, previous_until FROM webhook_endpoints WHERE id = $1 AND disabled IS NULL",
    )
    .bind(endpoint.to_string())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(target) = target else { return Ok(Vec::new()) };
    let (url, secrets) = (Stored { record: "endpoint", row: &target }.text("url")?, read_secrets(&target)?);
    let rows = sqlx::query(
        "UPDATE webhook_deliveries SET leased_until = $3 WHERE id IN (SELECT id FROM webhook_deliveries \
         WHERE endpoint_id = $1 AND state = 'pending' AND next_at <= $2 AND leased_until <= $2 ORDER BY next_at, id LIMIT $4) \
         AND state = 'pending' AND leased_until <= $2 RETURNING id, tenant_id, endpoint_id, event_id, event_type, body, format, state, \
         attempts, next_at, created_at, ended_at, replay_of",
    )
    .bind(endpoint.to_string())
    .bind(now.millis())
    .bind(now.plus(lease).millis())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let claimed = |row| Ok(Claimed { delivery: read(row)?, url: url.clone(), secrets: secrets.clone() });
    let mut claimed: Vec<Claimed> = rows.iter().map(claimed).collect::<Result<_, RecordsError>>()?;
    claimed.sort_by_key(|claimed| (claimed.delivery.next_at, claimed.delivery.id));
    Ok(claimed)
}

pub(super) async fn attempted(connection: &mut AnyConnection, attempted: &Attempted) -> Result<bool, RecordsError> {
    let (attempt, pending) = (&attempted.attempt, attempted.state == DeliveryState::Pending);
    let counted = sqlx::query(
        "UPDATE webhook_deliveries SET state = $3, attempts = $2, leased_until = 0, next_at = COALESCE($4, next_at), ended_at = $5 \
         WHERE id = $1 AND state = 'pending' AND attempts = $2 - 1",
    )
    .bind(attempted.delivery.to_string())
    .bind(i64::from(attempt.number))
    .bind(attempted.state.as_str())
    .bind(pending.then_some(attempted.at.millis()))
    .bind((!pending).then_some(attempted.at.millis()))
    .execute(&mut *connection)
    .await?;
    if counted.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "INSERT INTO webhook_attempts (delivery_id, number, at, duration_ms, status, response, error) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(attempted.delivery.to_string())
    .bind(i64::from(attempt.number))
    .bind(attempt.at.millis())
    .bind(i64::try_from(attempt.took.as_millis()).unwrap_or(i64::MAX))
    .bind(attempt.status.map(i64::from))
    .bind(attempt.response.as_deref())
    .bind(attempt.error.as_deref())
    .execute(connection)
    .await?;
    Ok(true)
}
