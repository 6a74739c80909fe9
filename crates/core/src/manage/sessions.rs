//! Sessions, as an operator looks at them.

use countersign_model::{KeyKind, Mode, Scope, SessionId, TenantId, Timestamp, Uuid};
use countersign_session::{Challenge, Session};
use serde::Serialize;

use super::error::ManageError;
use super::views::text;
use crate::platform::Platform;

/// A session. Recipients are masked; it holds no code and no token.
#[derive(Debug, Clone, Serialize)]
pub struct SessionView {
    /// `ses_…`
    pub id: String,
    /// `pending`, `verified`, `expired`, `locked`, `canceled` or `failed`.
    pub status: &'static str,
    /// `live` or `sandbox`.
    pub mode: &'static str,
    /// The kind of key that opened it: `live` or `test`.
    pub keys: &'static str,
    /// The service it was opened under.
    pub service: Option<String>,
    /// What it proves control for.
    pub purpose: String,
    /// `any` or `all`.
    pub verification_mode: &'static str,
    /// Calls with a wrong guess that it will still hear.
    pub attempts_remaining: u8,
    /// Its channels, in the order in which they were asked.
    pub channels: Vec<ChannelView>,
    /// When it was opened.
    pub created_at: String,
    /// When its newest codes die.
    pub expires_at: String,
    /// When it was completed.
    pub verified_at: Option<String>,
}

/// One channel of a session.
#[derive(Debug, Clone, Serialize)]
pub struct ChannelView {
    /// The way.
    pub channel: &'static str,
    /// Masked.
    pub recipient: String,
    /// `pending`, `sent`, `delivered` or `failed`.
    pub status: &'static str,
    /// How handing it over went.
    pub attempt: &'static str,
    /// Its newest message.
    pub message: String,
    /// Who took it.
    pub provider: Option<String>,
    /// When a provider took it.
    pub sent_at: Option<String>,
    /// When it arrived.
    pub delivered_at: Option<String>,
    /// When a right guess came.
    pub verified_at: Option<String>,
}

impl SessionView {
    /// Shows `session` as it is at `now`.
    #[must_use]
    pub fn of(session: &Session, now: Timestamp) -> Self {
        Self {
            id: session.id().to_string(),
            status: session.status(now).as_str(),
            mode: session.mode().as_str(),
            keys: session.scope().keys.as_str(),
            service: session.service().map(|service| service.to_string()),
            purpose: session.purpose().to_owned(),
            verification_mode: session.policy().verification_mode.as_str(),
            attempts_remaining: session.attempts_remaining(),
            channels: session.challenges().iter().map(|challenge| ChannelView::of(challenge, session.mode())).collect(),
            created_at: session.created_at().to_string(),
            expires_at: session.expires_at().to_string(),
            verified_at: text(session.verified_at()),
        }
    }
}

impl ChannelView {
    fn of(challenge: &Challenge, mode: Mode) -> Self {
        Self {
            channel: challenge.channel.as_str(),
            recipient: challenge.recipient.masked(),
            status: challenge.status().as_str(),
            attempt: challenge.message.attempt.as_str(),
            message: challenge.message.id.shown(mode).to_string(),
            provider: challenge.provider().map(str::to_owned),
            sent_at: text(challenge.message.sent_at),
            delivered_at: text(challenge.message.delivered_at),
            verified_at: text(challenge.verified_at),
        }
    }
}

impl Platform {
    /// A session of a tenant, of whichever mode and wire, by any of the names it goes by: `ses_…`, `otp_` with 32 hexadecimal digits, a UUID.
    pub async fn find_session(&self, tenant: TenantId, named: &str) -> Result<Session, ManageError> {
        let id = session_named(named).ok_or(ManageError::Missing("session"))?;
        for keys in [KeyKind::Live, KeyKind::Test] {
            if let Some(session) = self.store.find(Scope { tenant, keys }, id).await? {
                return Ok(session);
            }
        }
        Err(ManageError::Missing("session"))
    }
}

fn session_named(text: &str) -> Option<SessionId> {
    let uuid = |text: &str| Uuid::try_parse(text).ok().map(|uuid| SessionId::from_bits(uuid.as_u128()));
    match text.strip_prefix("otp_") {
        Some(hex) => uuid(hex),
        None => text.parse().ok().or_else(|| uuid(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wires_name_of_a_session_leads_to_it() {
        let id = SessionId::from_bits(0x0190_0000_0000_0000_0000_0000_0000_00AB);
        for name in ["otp_019000000000000000000000000000ab", "01900000-0000-0000-0000-0000000000ab", &id.to_string()] {
            assert_eq!(session_named(name), Some(id), "{name}");
        }
        for name in ["", "ses_1", "otp_xyz", "eyJ0.a.b"] {
            assert_eq!(session_named(name), None, "{name}");
        }
    }
}
