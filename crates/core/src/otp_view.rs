//! A session as K-OTP shows it: one message to one person. Its status replies and its webhooks say the same, because both are made here.

use countersign_model::{Channel, MessageId, MessageStatus, Mode, Recipient, SessionId, Timestamp};
use countersign_records::{MessageRecord, RecordedChannel, SessionRecord, SessionState, ShownStatus};
use countersign_session::{Session, SessionStatus};
use serde_json::{Value, json};

use crate::numbers::country;

/// A session shown as an OTP: the message of its first channel that a provider took, else of its first channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtpView {
    /// The session.
    pub session: SessionId,
    /// How far it is. One that is locked stays as far as its message is until its code dies.
    pub status: ShownStatus,
    /// To whom.
    pub to: Recipient,
    /// Which way.
    pub method: Channel,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it arrived.
    pub delivered_at: Option<Timestamp>,
    /// Checks made since the code was sent, the right one included.
    pub attempts: u32,
    /// Whether its code was right.
    pub verified: bool,
    /// Who carried it the last mile, where its receipt says so.
    pub carrier: Option<String>,
    /// ISO 3166-1 alpha-2, by the number; none for a mailbox.
    pub country: Option<String>,
    /// Whether nothing left the house.
    pub sandbox: bool,
}

/// How a session stands, apart from its message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stand {
    Open,
    Verified,
    Over,
    Failed,
}

impl OtpView {
    /// Of a session in the hot plane, at `now`. None: it has no channel, which no session that was opened is without.
    #[must_use]
    pub fn of_session(session: &Session, now: Timestamp) -> Option<Self> {
        let taken = |status| matches!(status, MessageStatus::Sent | MessageStatus::Delivered);
        let challenges = session.challenges();
        let shown = challenges.iter().find(|challenge| taken(challenge.status())).or(challenges.first())?;
        let stand = match session.status(now) {
            SessionStatus::Pending | SessionStatus::Locked => Stand::Open,
            SessionStatus::Verified => Stand::Verified,
            SessionStatus::Expired | SessionStatus::Canceled => Stand::Over,
            SessionStatus::Failed => Stand::Failed,
        };
        // Whether it is locked or not, its code dies when it dies.
        let stand = if stand == Stand::Open && now >= session.expires_at() { Stand::Over } else { stand };
        let wrong = session.policy().max_attempts.saturating_sub(session.attempts_remaining());
        Some(Self {
            session: session.id(),
            status: status(stand, Some(shown.status())),
            to: shown.recipient.clone(),
            method: shown.channel,
            created_at: session.created_at(),
            delivered_at: shown.message.delivered_at,
            attempts: attempts(wrong, stand),
            verified: stand == Stand::Verified,
            carrier: shown.message.carrier.clone(),
            country: country_of(&shown.recipient),
            sandbox: session.mode() == Mode::Sandbox,
        })
    }

    /// Of what the records hold, at `now`. None as with [`OtpView::of_session`], and for a notice, which has no code.
    #[must_use]
    pub fn of_record<'a>(
        session: &SessionRecord,
        message: impl Fn(MessageId) -> Option<&'a MessageRecord>,
        now: Timestamp,
    ) -> Option<Self> {
        let newest = |channel: &RecordedChannel| message(*channel.messages.last()?);
        let shown = session.channels.iter().find(|it| it.channel == session.shown_channel).or(session.channels.first())?;
        let stand = match session.status {
            SessionState::Pending | SessionState::Locked if now >= session.expires_at => Stand::Over,
            SessionState::Pending | SessionState::Locked => Stand::Open,
            SessionState::Verified => Stand::Verified,
            SessionState::Expired | SessionState::Canceled => Stand::Over,
            SessionState::Failed => Stand::Failed,
            SessionState::Notice => return None,
        };
        let sent = newest(shown);
        Some(Self {
            session: session.id,
            status: status(stand, sent.map(|message| message.status)),
            to: shown.recipient.clone(),
            method: shown.channel,
            created_at: session.created_at,
            delivered_at: sent.and_then(|message| message.delivered_at),
            attempts: attempts(session.max_attempts.saturating_sub(session.attempts_remaining), stand),
            verified: stand == Stand::Verified,
            carrier: sent.and_then(|message| message.carrier.clone()),
            country: country_of(&shown.recipient),
            sandbox: session.realm.mode == Mode::Sandbox,
        })
    }

    /// The OTP object.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut body = json!({
            "id": otp_id(self.session),
            "status": self.status.as_str(),
            "to": self.to.address(),
            "method": self.method.as_str(),
            "created_at": self.created_at.whole_seconds(),
            "delivered_at": self.delivered_at.map(Timestamp::whole_seconds),
            "attempts": self.attempts,
            "verified": self.verified,
            "carrier": self.carrier,
            "country": self.country,
        });
        if self.sandbox {
            body["sandbox"] = Value::Bool(true);
        }
        body
    }
}

/// An OTP object that nobody can take for one of theirs.
pub(crate) fn sample(at: Timestamp) -> Value {
    json!({
        "id": otp_id(SessionId::from_bits(0)),
        "status": ShownStatus::Pending.as_str(),
        "to": "+12025550143",
        "method": Channel::Sms.as_str(),
        "created_at": at.whole_seconds(),
        "delivered_at": null,
        "attempts": 0,
        "verified": false,
        "carrier": null,
        "country": "US",
        "sandbox": true,
    })
}

/// K-OTP's name of a session: `otp_` and its 128 bits in lower-case hex.
#[must_use]
pub fn otp_id(session: SessionId) -> String {
    format!("otp_{:032x}", session.bits())
}

const fn status(stand: Stand, message: Option<MessageStatus>) -> ShownStatus {
    match (stand, message) {
        (Stand::Verified, _) => ShownStatus::Verified,
        (Stand::Over, _) => ShownStatus::Expired,
        (Stand::Failed, _) | (Stand::Open, Some(MessageStatus::Failed)) => ShownStatus::Failed,
        (Stand::Open, Some(MessageStatus::Sent)) => ShownStatus::Sent,
        (Stand::Open, Some(MessageStatus::Delivered)) => ShownStatus::Delivered,
        (Stand::Open, Some(MessageStatus::Pending) | None) => ShownStatus::Pending,
    }
}

fn attempts(wrong: u8, stand: Stand) -> u32 {
    u32::from(wrong) + u32::from(stand == Stand::Verified)
}

fn country_of(to: &Recipient) -> Option<String> {
    match to {
        Recipient::Phone(number) => country(number).map(|country| country.to_string()),
        Recipient::Email(_) => None,
    }
}
