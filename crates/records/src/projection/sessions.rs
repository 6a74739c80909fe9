//! Sessions, as the log tells of them.

use countersign_model::{
    Channel, Dialect, MessageId, Money, Recipient, Scope, ServiceId, SessionId, Timestamp, VerificationMode,
};
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::counts::{Cell, Counts};
use super::list::{List, ListFilter, ListPage, ListPlace, ListSlice, Wanted};
use super::messages::money;
use crate::columns::{Stored, json};
use crate::many::{fetch_many, insert_many};
use crate::transaction::{On, change};
use crate::words::words;
use crate::{Realm, RecordsError};

const SELECT: &str = "SELECT id, realm, dialect, service_id, purpose, metadata, verification_mode, max_attempts, attempts_remaining, \
                      channels, status, shown_channel, shown_status, cost, created_at, expires_at, verified_at, history, named_locale FROM sessions";

pub(super) const LIST: List = List {
    name: "sessions",
    select: SELECT,
    table: "sessions",
    status: "shown_status",
    channel: "shown_channel",
    shown: " AND status <> 'notice'",
};

words! {
    /// What a session was last told to be. It goes by what the log has told, not by the clock.
    SessionState {
        /// Open to guesses.
        Pending = "pending",
        /// Complete.
        Verified = "verified",
        /// The codes died first.
        Expired = "expired",
        /// The attempts are used up.
        Locked = "locked",
        /// Ended by the caller.
        Canceled = "canceled",
        /// No message went out.
        Failed = "failed",
        /// It never was more than a message: in no list, and found by nobody but the projector.
        Notice = "notice",
    }
}

words! {
    /// A session shown as if it were one message: verified or over, else as far as its message is.
    ShownStatus {
        /// No provider is known to have taken it.
        Pending = "pending",
        /// A provider took it.
        Sent = "sent",
        /// It arrived.
        Delivered = "delivered",
        /// It did not go out, or did not arrive.
        Failed = "failed",
        /// The codes died, or the caller ended it.
        Expired = "expired",
        /// Complete.
        Verified = "verified",
    }
}

/// A session as the log tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub realm: Realm,
    /// The wire it was opened in.
    pub dialect: Dialect,
    /// The profile it was opened under.
    pub service: Option<ServiceId>,
    /// Its purpose.
    pub purpose: String,
    /// The caller's JSON object, as text.
    pub metadata: String,
    /// The language that the send named for its messages, where it asked for a contact: the contact's.
    pub named_locale: Option<String>,
    /// What completes it.
    pub verification_mode: VerificationMode,
    /// Calls with a wrong guess before it locks.
    pub max_attempts: u8,
    /// Those that are left.
    pub attempts_remaining: u8,
    /// Its channels, and behind them those that wait for their turn.
    pub channels: Vec<RecordedChannel>,
    /// What it is.
    pub status: SessionState,
    /// Its first channel whose message a provider took, else its first.
    pub shown_channel: Channel,
    /// What it is, shown as one message.
    pub shown_status: ShownStatus,
    /// What it cost so far.
    pub cost: Money,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When its newest codes die.
    pub expires_at: Timestamp,
    /// When it was completed.
    pub verified_at: Option<Timestamp>,
    /// Eight letters for each event that was taken in, in order.
    pub history: String,
}

/// One channel of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedChannel {
    /// The way.
    pub channel: Channel,
    /// The person.
    pub recipient: Recipient,
    /// Its messages, oldest first; none: its turn has not come.
    #[serde(with = "as_text")]
    pub messages: Vec<MessageId>,
    /// Whether a right code proved it.
    pub verified: bool,
}

/// Ids in their written form.
mod as_text {
    use countersign_model::MessageId;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(ids: &[MessageId], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(ids.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<MessageId>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}

/// The table of sessions. Made by [`Records::sessions`](crate::Records::sessions).
#[derive(Debug)]
pub struct SessionLog<'a> {
    pub(crate) on: On<'a>,
}

impl SessionLog<'_> {
    /// Those of these ids that are there, in any order. For the projector: whoever asks for a tenant takes the other calls.
    pub async fn load(self, ids: &[SessionId]) -> Result<Vec<SessionRecord>, RecordsError> {
        let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
        fetch_many(&mut *self.on.reader().await?, SELECT, "id", &ids).await?.iter().map(read).collect()
    }

    /// Writes sessions, each once, and the counts of the list. First what the records hold (none: it is new), then what they shall hold.
    pub async fn save(self, changes: &[(Option<SessionRecord>, SessionRecord)]) -> Result<(), RecordsError> {
        change!(self.on, |connection| save(connection, changes).await)
    }

    /// A session of the scope. A notice is none.
    pub async fn find(self, scope: Scope, id: SessionId) -> Result<Option<SessionRecord>, RecordsError> {
        let found = self.load(&[id]).await?.pop();
        Ok(found.filter(|session| session.realm.scope == scope && session.status != SessionState::Notice))
    }

    /// A page of the sessions, each shown as one message, newest first, and how many there are in all.
    pub async fn page(
        self,
        filter: &ListFilter<ShownStatus>,
        offset: u64,
        limit: u32,
    ) -> Result<ListPage<SessionRecord>, RecordsError> {
        let wanted = Wanted::new(filter, None, ShownStatus::as_str);
        let (rows, total) = wanted.page(&mut *self.on.reader().await?, &LIST, offset, limit).await?;
        Ok(ListPage { rows: rows.iter().map(read).collect::<Result<_, _>>()?, total })
    }

    /// The sessions behind a place, newest first; without a place, the newest.
    pub async fn after(
        self,
        filter: &ListFilter<ShownStatus>,
        place: Option<&ListPlace>,
        limit: u32,
    ) -> Result<ListSlice<SessionRecord>, RecordsError> {
        let wanted = Wanted::new(filter, None, ShownStatus::as_str);
        let mut rows = wanted.after(&mut *self.on.reader().await?, &LIST, place, limit).await?;
        let has_more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let rows: Vec<_> = rows.iter().map(read).collect::<Result<_, _>>()?;
        let next = rows
            .last()
            .filter(|_| has_more)
            .map(|last: &SessionRecord| ListPlace { at: last.created_at, id: last.id.to_string() });
        Ok(ListSlice { rows, next })
    }
}

async fn save(connection: &mut AnyConnection, changes: &[(Option<SessionRecord>, SessionRecord)]) -> Result<(), RecordsError> {
    let mut counts = Counts::default();
    for (before, after) in changes.iter().filter(|(_, after)| after.status != SessionState::Notice) {
        counts.moved(before.as_ref().map(cell), cell(after));
    }
    insert_many(
        &mut *connection,
        "INSERT INTO sessions (id, realm, dialect, service_id, purpose, metadata, verification_mode, max_attempts, attempts_remaining, \
         channels, status, shown_channel, shown_status, cost, created_at, expires_at, verified_at, history, named_locale)",
        19,
        "ON CONFLICT (id) DO UPDATE SET attempts_remaining = excluded.attempts_remaining, channels = excluded.channels, \
         status = excluded.status, shown_channel = excluded.shown_channel, shown_status = excluded.shown_status, cost = excluded.cost, \
         expires_at = excluded.expires_at, verified_at = excluded.verified_at, history = excluded.history",
        changes,
        |query, (_, session)| {
            Ok(query
                .bind(session.id.to_string())
                .bind(session.realm.to_string())
                .bind(session.dialect.as_str())
                .bind(session.service.map(|id| id.to_string()))
                .bind(session.purpose.clone())
                .bind(session.metadata.clone())
                .bind(session.verification_mode.as_str())
                .bind(i64::from(session.max_attempts))
                .bind(i64::from(session.attempts_remaining))
                .bind(json("session", "channels", &session.channels)?)
                .bind(session.status.as_str())
                .bind(session.shown_channel.as_str())
                .bind(session.shown_status.as_str())
                .bind(session.cost.micros())
                .bind(session.created_at.millis())
                .bind(session.expires_at.millis())
                .bind(session.verified_at.map(Timestamp::millis))
                .bind(session.history.clone())
                .bind(session.named_locale.clone()))
        },
    )
    .await?;
    counts.write(connection, &LIST).await
}

fn cell(session: &SessionRecord) -> Cell {
    Cell::new(session.realm, session.created_at, session.service, session.shown_channel, session.shown_status.as_str())
}

fn read_dialect(stored: &Stored<'_>) -> Result<Dialect, RecordsError> {
    let word = stored.text("dialect")?;
    Dialect::ALL.into_iter().find(|dialect| dialect.as_str() == word).ok_or_else(|| stored.corrupt("dialect"))
}

fn read(row: &AnyRow) -> Result<SessionRecord, RecordsError> {
    let stored = Stored { record: "session", row };
    Ok(SessionRecord {
        id: stored.parsed("id")?,
        realm: stored.parsed("realm")?,
        dialect: read_dialect(&stored)?,
        service: stored.parsed_or_none("service_id")?,
        purpose: stored.text("purpose")?,
        metadata: stored.text("metadata")?,
        named_locale: stored.text_or_none("named_locale")?,
        verification_mode: match stored.text("verification_mode")?.as_str() {
            "any" => VerificationMode::Any,
            "all" => VerificationMode::All,
            _ => return Err(stored.corrupt("verification_mode")),
        },
        max_attempts: stored.number("max_attempts")?,
        attempts_remaining: stored.number("attempts_remaining")?,
        channels: stored.json("channels")?,
        status: stored.parsed("status")?,
        shown_channel: stored.parsed("shown_channel")?,
        shown_status: stored.parsed("shown_status")?,
        cost: money(&stored, "cost")?,
        created_at: stored.moment("created_at")?,
        expires_at: stored.moment("expires_at")?,
        verified_at: stored.moment_or_none("verified_at")?,
        history: stored.text("history")?,
    })
}
