//! Answers that are given again, for calls whose effect is in this database.

use countersign_model::{Mode, TenantId, Timestamp};
use sqlx::Row;

use crate::transaction::{On, change};
use crate::{Records, RecordsError, Transaction};

/// A call that carries an idempotency key. Fingerprints in hexadecimal, never the texts themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedCall {
    /// Whose.
    pub tenant: TenantId,
    /// Live or sandbox.
    pub mode: Mode,
    /// Of the key and of what was called with it.
    pub key: String,
    /// Of the body.
    pub body: String,
}

/// What a call with a key is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Nobody came with the key: act now, and end with [`Transaction::answer`].
    First,
    /// It was answered: give this again and change nothing.
    Answered(String),
    /// It came with another body before.
    OtherBody,
}

impl Transaction {
    /// Claims a call's key before its effect, in the transaction of the effect: an effect that is undone leaves no answer, and of two
    /// calls that race with one key the second waits for the first and repeats its answer. The answer is kept until `expires_at`.
    pub async fn claim(&mut self, call: &KeyedCall, now: Timestamp, expires_at: Timestamp) -> Result<Claim, RecordsError> {
        sqlx::query("DELETE FROM idempotency WHERE tenant_id = $1 AND mode = $2 AND key_hash = $3 AND expires_at <= $4")
            .bind(call.tenant.to_string())
            .bind(call.mode.as_str())
            .bind(&call.key)
            .bind(now.millis())
            .execute(self.connection())
            .await?;
        let claimed = sqlx::query(
            "INSERT INTO idempotency (tenant_id, mode, key_hash, body_hash, reply, expires_at) VALUES ($1, $2, $3, $4, '', $5) \
             ON CONFLICT (tenant_id, mode, key_hash) DO NOTHING",
        )
        .bind(call.tenant.to_string())
        .bind(call.mode.as_str())
        .bind(&call.key)
        .bind(&call.body)
        .bind(expires_at.millis())
        .execute(self.connection())
        .await?;
        if claimed.rows_affected() > 0 {
            return Ok(Claim::First);
        }
        let kept = sqlx::query("SELECT body_hash, reply FROM idempotency WHERE tenant_id = $1 AND mode = $2 AND key_hash = $3")
            .bind(call.tenant.to_string())
            .bind(call.mode.as_str())
            .bind(&call.key)
            .fetch_one(self.connection())
            .await?;
        let same = kept.try_get::<String, _>("body_hash")? == call.body;
        if same { Ok(Claim::Answered(kept.try_get("reply")?)) } else { Ok(Claim::OtherBody) }
    }

    /// Keeps the answer to a claimed call: text without secrets. Not claimed: [`RecordsError::Missing`].
    pub async fn answer(&mut self, call: &KeyedCall, reply: &str) -> Result<(), RecordsError> {
        let kept = sqlx::query("UPDATE idempotency SET reply = $4 WHERE tenant_id = $1 AND mode = $2 AND key_hash = $3")
            .bind(call.tenant.to_string())
            .bind(call.mode.as_str())
            .bind(&call.key)
            .bind(reply)
            .execute(self.connection())
            .await?;
        if kept.rows_affected() == 0 { Err(RecordsError::Missing) } else { Ok(()) }
    }
}

impl Records {
    /// Removes answers that nobody gets any more, at most `limit`, and tells how many.
    pub async fn sweep_answers(&self, now: Timestamp, limit: u32) -> Result<u64, RecordsError> {
        change!(On::Records(self), |connection| {
            let gone = sqlx::query(
                "DELETE FROM idempotency WHERE (tenant_id, mode, key_hash) IN \
                 (SELECT tenant_id, mode, key_hash FROM idempotency WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
            )
            .bind(now.millis())
            .bind(i64::from(limit))
            .execute(connection)
            .await?;
            Ok(gone.rows_affected())
        })
    }
}
