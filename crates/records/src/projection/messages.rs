//! Messages, as the log tells of them.

use countersign_model::{Channel, MessageId, MessageStatus, Money, Recipient, Scope, ServiceId, SessionId, Timestamp};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::counts::{Cell, Counts};
use super::list::{List, ListFilter, ListPage, ListPlace, ListSlice, Wanted};
use crate::columns::Stored;
use crate::many::{fetch_many, insert_many};
use crate::transaction::{On, change};
use crate::{Realm, RecordsError};

const SELECT: &str = "SELECT id, realm, session_id, service_id, channel, recipient, status, provider, provider_id, reason, cost, country, \
                      created_at, sent_at, delivered_at, failed_at, carrier FROM messages";

pub(super) const LIST: List =
    List { name: "messages", select: SELECT, table: "messages", status: "status", channel: "channel", shown: "" };

/// What was, or is, owed to one recipient on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRecord {
    /// Its id.
    pub id: MessageId,
    /// Whose.
    pub realm: Realm,
    /// Its session.
    pub session: SessionId,
    /// The profile its session was opened under.
    pub service: Option<ServiceId>,
    /// The way.
    pub channel: Channel,
    /// The person, in the normalised form.
    pub recipient: Recipient,
    /// How far it is.
    pub status: MessageStatus,
    /// Who took it, or may have.
    pub provider: Option<String>,
    /// Its name there.
    pub provider_id: Option<String>,
    /// Why it failed or did not arrive, or `unclear` where nobody knows whether it went out.
    pub reason: Option<String>,
    /// What it cost.
    pub cost: Money,
    /// The country of its number.
    pub country: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a provider took it.
    pub sent_at: Option<Timestamp>,
    /// When it arrived.
    pub delivered_at: Option<Timestamp>,
    /// When it was known to have failed.
    pub failed_at: Option<Timestamp>,
    /// Who carried it the last mile, where its receipt says so.
    pub carrier: Option<String>,
}

/// A message that an entry of the log made or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageChange {
    /// What the records hold; none: it is new.
    pub before: Option<MessageRecord>,
    /// What they shall hold.
    pub after: MessageRecord,
    /// What to add to its history.
    pub moments: Vec<Moment>,
}

/// A moment of a message's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// The event's number in the session.
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// What was known of it then.
    pub status: MessageStatus,
    /// Who took it, or may have.
    pub provider: Option<String>,
    /// Why, where there is something to say.
    pub reason: Option<String>,
}

/// The table of messages. Made by [`Records::messages`](crate::Records::messages).
#[derive(Debug)]
pub struct MessageLog<'a> {
    pub(crate) on: On<'a>,
}

impl MessageLog<'_> {
    /// Those of these ids that are there, in any order. For the projector: whoever asks for a tenant takes the other calls.
    pub async fn load(self, ids: &[MessageId]) -> Result<Vec<MessageRecord>, RecordsError> {
        let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
        fetch_many(&mut *self.on.reader().await?, SELECT, "id", &ids).await?.iter().map(read).collect()
    }

    /// Writes changes, each message once, with their history and the counts of the list.
    pub async fn save(self, changes: &[MessageChange]) -> Result<(), RecordsError> {
        change!(self.on, |connection| save(connection, changes).await)
    }

    /// A message of the scope.
    pub async fn find(self, scope: Scope, id: MessageId) -> Result<Option<MessageRecord>, RecordsError> {
        let rows = fetch_many(&mut *self.on.reader().await?, SELECT, "id", &[id.to_string()]).await?;
        let found = rows.first().map(read).transpose()?;
        Ok(found.filter(|message| message.realm.scope == scope))
    }

    /// What is known of a message's way, oldest first. Whose it is, [`MessageLog::find`] has said.
    pub async fn history(self, id: MessageId) -> Result<Vec<Moment>, RecordsError> {
        let select = "SELECT number, at, status, provider, reason FROM message_history WHERE message_id = $1 ORDER BY number";
        let rows = sqlx::query(select).bind(id.to_string()).fetch_all(&mut *self.on.reader().await?).await?;
        let moment = |row: &AnyRow| {
            let stored = Stored { record: "message history", row };
            Ok(Moment {
                number: stored.number("number")?,
                at: stored.moment("at")?,
                status: status(&stored)?,
                provider: stored.text_or_none("provider")?,
                reason: stored.text_or_none("reason")?,
            })
        };
        rows.iter().map(moment).collect()
    }

    /// A page of the message log, newest first, and how many messages there are in all. The rows before the page are passed over by counts,
    /// but for those of the page's own hours.
    pub async fn page(
        self,
        filter: &ListFilter<MessageStatus>,
        recipient: Option<&Recipient>,
        offset: u64,
        limit: u32,
    ) -> Result<ListPage<MessageRecord>, RecordsError> {
        let wanted = Wanted::new(filter, recipient, MessageStatus::as_str);
        let (rows, total) = wanted.page(&mut *self.on.reader().await?, &LIST, offset, limit).await?;
        Ok(ListPage { rows: rows.iter().map(read).collect::<Result<_, _>>()?, total })
    }

    /// The messages behind a place, newest first; without a place, the newest.
    pub async fn after(
        self,
        filter: &ListFilter<MessageStatus>,
        recipient: Option<&Recipient>,
        place: Option<&ListPlace>,
        limit: u32,
    ) -> Result<ListSlice<MessageRecord>, RecordsError> {
        let wanted = Wanted::new(filter, recipient, MessageStatus::as_str);
        let mut rows = wanted.after(&mut *self.on.reader().await?, &LIST, place, limit).await?;
        let has_more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let rows: Vec<_> = rows.iter().map(read).collect::<Result<_, _>>()?;
        let next = rows
            .last()
            .filter(|_| has_more)
            .map(|last: &MessageRecord| ListPlace { at: last.created_at, id: last.id.to_string() });
        Ok(ListSlice { rows, next })
    }
}

async fn save(connection: &mut AnyConnection, changes: &[MessageChange]) -> Result<(), RecordsError> {
    let mut counts = Counts::default();
    for change in changes {
        counts.moved(change.before.as_ref().map(cell), cell(&change.after));
    }
    insert_many(
        &mut *connection,
        "INSERT INTO messages (id, realm, session_id, service_id, channel, recipient, status, provider, provider_id, reason, cost, country, \
         created_at, sent_at, delivered_at, failed_at, carrier)",
        17,
        "ON CONFLICT (id) DO UPDATE SET status = excluded.status, provider = excluded.provider, provider_id = excluded.provider_id, \
         reason = excluded.reason, cost = excluded.cost, sent_at = excluded.sent_at, delivered_at = excluded.delivered_at, \
         failed_at = excluded.failed_at, carrier = excluded.carrier",
        changes,
        |query, change| {
            let message = &change.after;
            Ok(query
                .bind(message.id.to_string())
                .bind(message.realm.to_string())
                .bind(message.session.to_string())
                .bind(message.service.map(|id| id.to_string()))
                .bind(message.channel.as_str())
                .bind(message.recipient.normalised())
                .bind(message.status.as_str())
                .bind(message.provider.clone())
                .bind(message.provider_id.clone())
                .bind(message.reason.clone())
                .bind(message.cost.micros())
                .bind(message.country.clone())
                .bind(message.created_at.millis())
                .bind(message.sent_at.map(Timestamp::millis))
                .bind(message.delivered_at.map(Timestamp::millis))
                .bind(message.failed_at.map(Timestamp::millis))
                .bind(message.carrier.clone()))
        },
    )
    .await?;
    let moments: Vec<_> =
        changes.iter().flat_map(|change| change.moments.iter().map(|moment| (change.after.id, moment))).collect();
    insert_many(
        &mut *connection,
        "INSERT INTO message_history (message_id, number, at, status, provider, reason)",
        6,
        "",
        &moments,
        |query, (id, moment)| {
            Ok(query
                .bind(id.to_string())
                .bind(i64::from(moment.number))
                .bind(moment.at.millis())
                .bind(moment.status.as_str())
                .bind(moment.provider.clone())
                .bind(moment.reason.clone()))
        },
    )
    .await?;
    counts.write(connection, &LIST).await
}

fn cell(message: &MessageRecord) -> Cell {
    Cell::new(message.realm, message.created_at, message.service, message.channel, message.status.as_str())
}

pub(super) fn status(stored: &Stored<'_>) -> Result<MessageStatus, RecordsError> {
    let word = stored.text("status")?;
    let all = [MessageStatus::Pending, MessageStatus::Sent, MessageStatus::Delivered, MessageStatus::Failed];
    all.into_iter().find(|status| status.as_str() == word).ok_or_else(|| stored.corrupt("status"))
}

/// An amount.
pub(crate) fn money(stored: &Stored<'_>, field: &'static str) -> Result<Money, RecordsError> {
    Money::from_micros(stored.number(field)?).ok_or_else(|| stored.corrupt(field))
}

fn read(row: &AnyRow) -> Result<MessageRecord, RecordsError> {
    let stored = Stored { record: "message", row };
    let channel = stored.parsed("channel")?;
    Ok(MessageRecord {
        id: stored.parsed("id")?,
        realm: stored.parsed("realm")?,
        session: stored.parsed("session_id")?,
        service: stored.parsed_or_none("service_id")?,
        channel,
        recipient: Recipient::parse(channel, &stored.text("recipient")?).map_err(|_| stored.corrupt("recipient"))?,
        status: status(&stored)?,
        provider: stored.text_or_none("provider")?,
        provider_id: stored.text_or_none("provider_id")?,
        reason: stored.text_or_none("reason")?,
        cost: money(&stored, "cost")?,
        country: stored.text_or_none("country")?,
        created_at: stored.moment("created_at")?,
        sent_at: stored.moment_or_none("sent_at")?,
        delivered_at: stored.moment_or_none("delivered_at")?,
        failed_at: stored.moment_or_none("failed_at")?,
        carrier: stored.text_or_none("carrier")?,
    })
}
