//! Look at sessions with all that is known of them: what K-OTP's newer API tells of an issue.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use countersign_model::{MessageId, MessageStatus, Money, SessionId, Timestamp, Uuid};
use countersign_records::{ListFilter, ListPlace, MessageRecord, SessionRecord, SessionState, ShownStatus};
use countersign_session::{Session, SessionStatus};

use crate::callers::Caller;
use crate::history::{Remembered, message, realm};
use crate::otp_view::OtpView;
use crate::platform::Platform;
use crate::refusal::Refusal;

/// Slices that are searched for the rows of a page at most: a filter that few rows pass is not searched for without end.
const SLICES: usize = 10;
/// Rows of a slice at least.
const SLICE: u32 = 100;

/// Which sessions are wanted. What is left open is not looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IssueFilter {
    /// Those that are so now.
    pub state: Option<SessionState>,
    /// Opened at or after.
    pub from: Option<Timestamp>,
    /// Opened before.
    pub to: Option<Timestamp>,
}

/// A session with its shown message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// As an OTP.
    pub otp: OtpView,
    /// What it is. Where one session takes another's place, the other is canceled. Attempts that were used up stay used up, even when the code
    /// has died since: such a session is still locked here.
    pub state: SessionState,
    /// What the proof is for.
    pub purpose: String,
    /// The caller's JSON object, as text.
    pub metadata: String,
    /// The template that the caller chose, while the session is young.
    pub template: Option<Uuid>,
    /// Its shown message.
    pub message: Option<MessageId>,
    /// How far that is; none: it is not known.
    pub delivery: Option<MessageStatus>,
    /// Whether it may have gone out, and nobody knows.
    pub unclear: bool,
    /// Calls with a wrong guess before it locks.
    pub max_attempts: u8,
    /// Those that are left.
    pub attempts_remaining: u8,
    /// When its newest codes die.
    pub expires_at: Timestamp,
    /// When it was completed.
    pub verified_at: Option<Timestamp>,
    /// When the last of what is told here happened.
    pub updated_at: Timestamp,
    /// What it has cost so far; none: it is not billed.
    pub cost: Option<Money>,
}

/// Where a page of issues ended. Callers give it back as they got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuePlace {
    at: Timestamp,
    session: SessionId,
}

impl fmt::Display for IssuePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:032x}", self.at.millis(), self.session.bits())
    }
}

/// The text is no place that was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a place in a list")]
pub struct InvalidPlace;

impl FromStr for IssuePlace {
    type Err = InvalidPlace;

    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        let (at, bits) = text.split_once('-').ok_or(InvalidPlace)?;
        let at = at.parse().map_err(|_| InvalidPlace)?;
        let bits = u128::from_str_radix(bits, 16).map_err(|_| InvalidPlace)?;
        Ok(Self { at: Timestamp::from_millis(at), session: SessionId::from_bits(bits) })
    }
}

/// A page of issues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuePage {
    /// Newest first.
    pub rows: Vec<Issue>,
    /// Where the next page starts; none at the end. A page may be short, or empty, and yet not the last.
    pub next: Option<IssuePlace>,
    /// As in [`HistoryPage::lag`](crate::HistoryPage::lag).
    pub lag: Option<Duration>,
}

impl Platform {
    /// The sessions of the caller's mode behind a place, at most `limit`.
    pub async fn issues(
        &self,
        caller: &Caller,
        filter: &IssueFilter,
        after: Option<&IssuePlace>,
        limit: u32,
    ) -> Result<IssuePage, Refusal> {
        let caller = self.admit(caller).await?;
        let lag = self.catch_up(caller.scope.tenant.partition()).await?;
        let status = filter.state.and_then(shown_as);
        let listed = ListFilter { status, from: filter.from, to: filter.to, ..ListFilter::all(realm(&caller)) };
        let mut place = after.map(|after| ListPlace { at: after.at, id: after.session.to_string() });
        let mut found: Vec<SessionRecord> = Vec::new();
        for _ in 0..SLICES {
            let slice = self.records.sessions().after(&listed, place.as_ref(), limit.max(SLICE)).await;
            let slice = slice.map_err(Refusal::RecordsAway)?;
            place = slice.next;
            let is_now = |session: &SessionRecord| used_up_or(session.status, session.attempts_remaining);
            let fits = |session: &SessionRecord| filter.state.is_none_or(|state| is_now(session) == state);
            found.extend(slice.rows.into_iter().filter(fits));
            if found.len() >= limit as usize || place.is_none() {
                break;
            }
        }
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let last = found.last().map(|session| IssuePlace { at: session.created_at, session: session.id });
        let given_up = place.and_then(|place| Some(IssuePlace { at: place.at, session: place.id.parse().ok()? }));
        let is_full = found.len() == limit as usize;
        let next = if more || (is_full && given_up.is_some()) { last } else { given_up };
        let messages = self.messages_of(&found).await.map_err(Refusal::RecordsAway)?;
        let rows = found.iter().filter_map(|session| Issue::of_record(session, &messages, session.created_at)).collect();
        Ok(IssuePage { rows, next, lag })
    }

    /// A session, as long as anybody remembers it.
    pub async fn issue(&self, caller: &Caller, id: SessionId) -> Result<Issue, Refusal> {
        let now = self.clock.now();
        let issue = match self.remembered(caller, id).await? {
            Remembered::Session(session) => Issue::of_session(&session, now),
            Remembered::Record(session, messages) => Issue::of_record(&session, &messages, now),
        };
        issue.ok_or(Refusal::Unknown)
    }
}

/// What sessions in a state are all shown as; none: as far as their messages are.
const fn shown_as(state: SessionState) -> Option<ShownStatus> {
    match state {
        SessionState::Verified => Some(ShownStatus::Verified),
        SessionState::Expired | SessionState::Canceled => Some(ShownStatus::Expired),
        SessionState::Failed => Some(ShownStatus::Failed),
        SessionState::Pending | SessionState::Locked | SessionState::Notice => None,
    }
}

/// `state`, but for a session that died with no attempt left.
const fn used_up_or(state: SessionState, attempts_remaining: u8) -> SessionState {
    match (state, attempts_remaining) {
        (SessionState::Expired, 0) => SessionState::Locked,
        (state, _) => state,
    }
}

impl Issue {
    fn of_session(session: &Session, now: Timestamp) -> Option<Self> {
        let otp = OtpView::of_session(session, now)?;
        let shown = session.challenges().iter().find(|challenge| challenge.channel == otp.method)?;
        let state = match session.status(now) {
            SessionStatus::Pending => SessionState::Pending,
            SessionStatus::Verified => SessionState::Verified,
            SessionStatus::Expired => SessionState::Expired,
            SessionStatus::Locked => SessionState::Locked,
            SessionStatus::Canceled => SessionState::Canceled,
            SessionStatus::Failed => SessionState::Failed,
        };
        let moments = [shown.message.sent_at, shown.message.delivered_at, session.verified_at()];
        Some(Self {
            state: used_up_or(state, session.attempts_remaining()),
            purpose: session.purpose().to_owned(),
            metadata: session.metadata().to_owned(),
            template: session.template(),
            message: Some(shown.message.id),
            delivery: Some(shown.status()),
            unclear: matches!(shown.message.attempt, countersign_model::Attempt::Unclear { .. }),
            max_attempts: session.policy().max_attempts,
            attempts_remaining: session.attempts_remaining(),
            expires_at: session.expires_at(),
            verified_at: session.verified_at(),
            updated_at: latest(session.created_at(), moments, (state == SessionState::Expired).then(|| session.expires_at())),
            cost: session.cost(),
            otp,
        })
    }

    /// At `now`; at its opening it is what the log has told, by which lists are filtered.
    fn of_record(session: &SessionRecord, messages: &[MessageRecord], now: Timestamp) -> Option<Self> {
        let otp = OtpView::of_record(session, |id| message(messages, id), now)?;
        let channel = session.channels.iter().find(|it| it.channel == otp.method)?;
        let shown = channel.messages.last().and_then(|id| message(messages, *id));
        let state = match session.status {
            SessionState::Pending | SessionState::Locked if now >= session.expires_at => SessionState::Expired,
            told => told,
        };
        let moments =
            [shown.and_then(|it| it.sent_at), shown.and_then(|it| it.delivered_at.max(it.failed_at)), session.verified_at];
        Some(Self {
            state: used_up_or(state, session.attempts_remaining),
            purpose: session.purpose.clone(),
            metadata: session.metadata.clone(),
            template: None,
            message: shown.map(|it| it.id),
            delivery: shown.map(|it| it.status),
            unclear: shown.is_some_and(|it| it.sent_at.is_none() && it.failed_at.is_none() && it.reason.is_some()),
            max_attempts: session.max_attempts,
            attempts_remaining: session.attempts_remaining,
            expires_at: session.expires_at,
            verified_at: session.verified_at,
            updated_at: latest(session.created_at, moments, (state == SessionState::Expired).then_some(session.expires_at)),
            cost: Some(session.cost),
            otp,
        })
    }
}

fn latest(first: Timestamp, others: [Option<Timestamp>; 3], end: Option<Timestamp>) -> Timestamp {
    others.into_iter().flatten().chain(end).fold(first, Timestamp::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_can_be_written_and_read_again() {
        let place = IssuePlace { at: Timestamp::from_millis(1_768_473_900_000), session: SessionId::from_bits(7) };
        assert_eq!(place.to_string().parse(), Ok(place));
        for other in ["", "1", "1-", "x-1", "1-zz"] {
            assert_eq!(other.parse::<IssuePlace>(), Err(InvalidPlace), "{other}");
        }
    }
}
