//! Look at a tenant's sessions of all time, each shown as one message: from the records, which trail what has just happened.

use std::time::Duration;

use countersign_model::{Channel, MessageId, Mode, Partition, SessionId, Timestamp};
use countersign_records::{ListFilter, MessageRecord, Realm, RecordsError, SessionRecord, ShownStatus};
use countersign_session::Session;
use tokio::time::{Instant, sleep};

use crate::callers::Caller;
use crate::otp_view::OtpView;
use crate::platform::Platform;
use crate::refusal::Refusal;

/// How often a caller that waits looks whether the records know by now what happened before it asked.
const PAUSE: Duration = Duration::from_millis(20);

/// Which sessions are wanted. What is left open is not looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Those that are shown on this channel.
    pub channel: Option<Channel>,
    /// Those that are shown so.
    pub status: Option<ShownStatus>,
    /// Opened at or after.
    pub from: Option<Timestamp>,
    /// Opened before.
    pub to: Option<Timestamp>,
}

/// A page of sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage {
    /// Newest first.
    pub rows: Vec<OtpView>,
    /// How many the filter lets through in all.
    pub total: u64,
    /// How far the records trail, where they did not catch up with the call; none: all that had happened before it is in the page.
    pub lag: Option<Duration>,
}

impl Platform {
    /// A page of the sessions of the caller's mode, whatever wire they were opened by, and how many there are. What the caller did before it
    /// asked is in there, unless the page says that it may not be.
    pub async fn history(
        &self,
        caller: &Caller,
        filter: &HistoryFilter,
        offset: u64,
        limit: u32,
    ) -> Result<HistoryPage, Refusal> {
        let caller = self.admit(caller).await?;
        let lag = self.catch_up(caller.scope.tenant.partition()).await?;
        let HistoryFilter { channel, status, from, to } = *filter;
        let filter = ListFilter { status, channel, from, to, ..ListFilter::all(realm(&caller)) };
        let page = self.records.sessions().page(&filter, offset, limit).await.map_err(Refusal::RecordsAway)?;
        let messages = self.messages_of(&page.rows).await.map_err(Refusal::RecordsAway)?;
        let rows = page.rows.iter().filter_map(|session| as_told(session, &messages)).collect();
        Ok(HistoryPage { rows, total: page.total, lag })
    }

    /// A session, as long as anybody remembers it.
    pub async fn otp(&self, caller: &Caller, id: SessionId) -> Result<OtpView, Refusal> {
        let now = self.clock.now();
        let view = match self.remembered(caller, id).await? {
            Remembered::Session(session) => OtpView::of_session(&session, now),
            Remembered::Record(session, messages) => OtpView::of_record(&session, |id| message(&messages, id), now),
        };
        view.ok_or(Refusal::Unknown)
    }

    /// A session from where it lives, else from the records. Counts the call.
    pub(crate) async fn remembered(&self, caller: &Caller, id: SessionId) -> Result<Remembered, Refusal> {
        let caller = self.admit(caller).await?;
        if let Some(session) = self.store.find(caller.scope, id).await? {
            return Ok(Remembered::Session(Box::new(session)));
        }
        let found = self.records.sessions().find(caller.scope, id).await.map_err(Refusal::RecordsAway)?;
        let session = found.ok_or(Refusal::Unknown)?;
        let messages = self.messages_of(std::slice::from_ref(&session)).await.map_err(Refusal::RecordsAway)?;
        Ok(Remembered::Record(Box::new(session), messages))
    }

    /// Waits until the records know all that the log of a partition tells now; if that takes too long, tells how far they trail.
    pub(crate) async fn catch_up(&self, partition: Partition) -> Result<Option<Duration>, Refusal> {
        let position = self.position(partition).await?;
        let unread = self.store.read_log(partition, position, 1).await?;
        let patience_ends = Instant::now() + self.settings.history_wait;
        let mut position = position;
        while position < unread.end && !unread.entries.is_empty() {
            if Instant::now() >= patience_ends {
                let first = self.store.read_log(partition, position, 1).await?.entries.into_iter().next();
                return Ok(Some(first.map_or(Duration::ZERO, |entry| self.clock.now().since(entry.at))));
            }
            sleep(PAUSE).await;
            position = self.position(partition).await?;
        }
        Ok(None)
    }

    async fn position(&self, partition: Partition) -> Result<u64, Refusal> {
        let cursors = self.records.cursors().all().await.map_err(Refusal::RecordsAway)?;
        Ok(cursors.iter().find(|cursor| cursor.partition == partition).map_or(0, |cursor| cursor.position))
    }

    /// The newest message of each channel of these sessions.
    pub(crate) async fn messages_of(&self, sessions: &[SessionRecord]) -> Result<Vec<MessageRecord>, RecordsError> {
        let newest = sessions.iter().flat_map(|session| session.channels.iter().filter_map(|it| it.messages.last().copied()));
        let ids: Vec<MessageId> = newest.collect();
        self.records.messages().load(&ids).await
    }
}

/// A session that somebody remembers.
pub(crate) enum Remembered {
    /// It is still where sessions live.
    Session(Box<Session>),
    /// Only the records know it, with its newest messages.
    Record(Box<SessionRecord>, Vec<MessageRecord>),
}

/// What a caller's lists are of.
pub(crate) const fn realm(caller: &Caller) -> Realm {
    let mode: Mode = caller.mode();
    Realm { scope: caller.scope, mode }
}

pub(crate) fn message(messages: &[MessageRecord], id: MessageId) -> Option<&MessageRecord> {
    messages.iter().find(|message| message.id == id)
}

/// A row of a list says what the list was filtered and counted by: what the log has told, however late it is by now.
fn as_told(session: &SessionRecord, messages: &[MessageRecord]) -> Option<OtpView> {
    OtpView::of_record(session, |id| message(messages, id), session.created_at)
}
