//! The state machine of a session. Pure: each transition takes the moment and the keys, and says what happened.

mod beside;
mod bill;
mod carried;
mod lapse;
mod open;
pub(crate) mod packed;
mod receive;
mod record;
mod send_again;
mod verify;
mod views;

use std::collections::VecDeque;
use std::time::Duration;

use countersign_model::{
    Attempt, Autofill, Channel, Dialect, EventKind, MessageId, MessageStatus, Mode, Money, Policy, Recipient, Scope, ServiceId,
    SessionId, StepId, Timestamp, Undelivered, Uuid,
};
use serde::{Deserialize, Serialize};

use crate::code::{CodeDigest, CodeKeys, SubjectKey};
use crate::subject::BudgetRule;

pub(crate) use beside::Beside;
pub use bill::Billing;
pub(crate) use bill::{Bill, Tally};
pub use carried::Carried;
pub(crate) use carried::Opened;
pub use open::{Names, NewChallenge, NewSession};
pub(crate) use receive::{Heard, Replaced};
pub use record::Delivery;
pub use send_again::{Instead, Turn};
pub(crate) use send_again::{SendAgain, SendAgainRefusal};
pub(crate) use verify::{Budgets, VerifyRefusal};
pub use verify::{GuessResult, Judgement};

/// How long a session answers to its token, from its opening.
pub(crate) const TOKEN_LIFE: Duration = Duration::from_hours(24);
/// How many steps a session remembers, so that a repeated one is answered and not done again.
const REMEMBERED_STEPS: usize = 4;

/// What every transition is given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The store's time.
    pub(crate) now: Timestamp,
    /// To digest codes and to compare guesses.
    pub(crate) keys: &'a CodeKeys,
    /// What a recipient's wrong guesses may add up to.
    pub(crate) budget: BudgetRule,
}

/// One proof of control. Holds digests, never a code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    id: SessionId,
    scope: Scope,
    mode: Mode,
    dialect: Dialect,
    service: Option<ServiceId>,
    purpose: String,
    app_name: String,
    locale: String,
    template: Option<Uuid>,
    sender: Option<String>,
    autofill: Autofill,
    /// The caller's JSON object, as text, echoed and never read.
    metadata: String,
    add_contact: bool,
    policy: Policy,
    created_at: Timestamp,
    /// When the newest codes die.
    expires_at: Timestamp,
    /// Before this a resend is too early.
    resend_after: Timestamp,
    /// Counts the sends: 0 for the first, or a little more where its code was chosen. Part of every digest.
    generation: u32,
    challenges: Vec<Challenge>,
    /// Channels that wait for their turn.
    fallback: Vec<PlannedChannel>,
    /// Calls with a wrong guess since the codes were last sent. The recipient's failure budget counts on its own.
    wrong: u8,
    /// What a failed resend goes back to.
    before_resend: Option<BeforeResend>,
    end: Option<End>,
    /// Whether the log has heard of the expiry.
    expiry_told: bool,
    /// What it costs; none: nobody pays for it.
    bill: Option<Bill>,
    /// Whose counts this session is in: the user, or the addresses that stand in for one.
    users: Vec<SubjectKey>,
    /// Number of the last event.
    events: u32,
    steps: VecDeque<(StepId, Done)>,
    /// Messages in whose place others are, the newest last: receipts still come for them.
    #[serde(skip)]
    replaced: Vec<Replaced>,
}

/// One channel's part of a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Challenge {
    /// The way.
    pub channel: Channel,
    /// The person.
    pub recipient: Recipient,
    /// The newest message.
    pub message: Message,
    /// When a right guess came.
    pub verified_at: Option<Timestamp>,
    /// What is kept of the codes that open the door.
    digests: Vec<CodeDigest>,
    /// Where wrong guesses at this recipient are counted.
    budget: SubjectKey,
}

/// What is owed to one recipient on one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Which send made it.
    pub generation: u32,
    /// How handing it over went.
    pub attempt: Attempt,
    /// What is known of its way.
    pub status: MessageStatus,
    /// When a provider took it.
    pub sent_at: Option<Timestamp>,
    /// When it arrived: as its receipt says, but never later than the receipt came; else when that came.
    pub delivered_at: Option<Timestamp>,
    /// Why it did not arrive, as a receipt says; none: none says so, or it arrived after all.
    #[serde(skip)]
    pub undelivered: Option<Undelivered>,
    /// Who carried it the last mile, where the receipt that said that it arrived says so.
    #[serde(skip)]
    pub carrier: Option<String>,
    /// When another message is to follow, unless a receipt says before that it arrived; none: none is to follow.
    #[serde(skip)]
    follow_at: Option<Timestamp>,
    /// What it costs its tenant once it is accepted.
    pub cost: Money,
    /// Until when somebody is trying to hand it over; after that nobody is, and the outcome is unclear.
    lease_until: Timestamp,
}

/// A channel whose turn comes later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedChannel {
    /// The way.
    pub channel: Channel,
    /// The person.
    pub recipient: Recipient,
    /// Where wrong guesses at this recipient are counted.
    pub budget: SubjectKey,
    /// What its message costs.
    pub cost: Money,
    /// When its turn comes by itself, counted from the send.
    pub after: Duration,
    /// When that is.
    pub at: Timestamp,
}

/// How a session ended for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum End {
    Verified(Timestamp),
    Canceled(Timestamp),
    Failed(Timestamp),
    /// It never was more than a message.
    Notice(Timestamp),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct BeforeResend {
    expires_at: Timestamp,
    wrong: u8,
}

/// What a remembered step did, as far as it cannot be read from the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Done {
    /// Nothing more to say than what the session says.
    Plain,
    /// New codes for these channels.
    Sent(Vec<Channel>),
    /// A verification that was heard.
    Judged(Judgement),
}

/// What a caller sees a session as. Worked out from the moment, never from a timer having fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionStatus {
    /// Open to guesses.
    Pending,
    /// Complete.
    Verified,
    /// The codes died first.
    Expired,
    /// The attempts are used up.
    Locked,
    /// Ended by the caller.
    Canceled,
    /// No message went out.
    Failed,
}

impl SessionStatus {
    /// Every status.
    pub const ALL: [Self; 6] = [Self::Pending, Self::Verified, Self::Expired, Self::Locked, Self::Canceled, Self::Failed];

    /// The word used on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Verified => "verified",
            Self::Expired => "expired",
            Self::Locked => "locked",
            Self::Canceled => "canceled",
            Self::Failed => "failed",
        }
    }
}

impl Session {
    /// Numbers the events of a step, in order.
    pub(crate) fn number(&mut self, kinds: Vec<EventKind>) -> Vec<countersign_model::Event> {
        kinds
            .into_iter()
            .map(|kind| {
                self.events += 1;
                countersign_model::Event { number: self.events, kind }
            })
            .collect()
    }

    /// What this step did when it was taken before.
    pub(crate) fn recall(&self, step: StepId) -> Option<&Done> {
        self.steps.iter().find(|(known, _)| *known == step).map(|(_, done)| done)
    }

    /// Remembers a step, and forgets the oldest.
    pub(crate) fn remember(&mut self, step: StepId, done: Done) {
        if self.steps.len() == REMEMBERED_STEPS {
            self.steps.pop_front();
        }
        self.steps.push_back((step, done));
    }

    /// Ends the session at the caller's wish. False when it is complete; ending it twice is no error.
    pub(crate) fn cancel(&mut self, cx: &Context<'_>) -> Option<Vec<EventKind>> {
        match self.end {
            Some(End::Verified(_)) => None,
            Some(End::Canceled(_) | End::Failed(_) | End::Notice(_)) => Some(Vec::new()),
            None => {
                self.close(End::Canceled(cx.now));
                self.release_fee(cx.now);
                Some(vec![EventKind::SessionCanceled])
            }
        }
    }

    /// Nothing opens this session any more.
    fn close(&mut self, end: End) {
        self.end = Some(end);
        self.fallback.clear();
        self.before_resend = None;
        for challenge in &mut self.challenges {
            challenge.digests.clear();
        }
    }

    /// Whether it answers no more: its token is past its life, and its first codes have been dead for as long.
    pub(crate) fn is_forgotten(&self, now: Timestamp) -> bool {
        now >= self.forgotten_at()
    }

    fn forgotten_at(&self) -> Timestamp {
        self.created_at.plus(self.policy.life).plus(TOKEN_LIFE)
    }

    /// Whether no guess can complete it any more, short of a resend.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.end.is_some() || now >= self.expires_at
    }

    /// Whether it is a message without a code. Nobody may ask for it; only what becomes of the message is written down.
    pub(crate) const fn is_notice(&self) -> bool {
        matches!(self.end, Some(End::Notice(_)))
    }

    /// Whether whoever looks for it sees it.
    pub(crate) fn is_there(&self, now: Timestamp) -> bool {
        !self.is_forgotten(now) && !self.is_notice()
    }

    /// How long it keeps its slot from others; none: the slot is free. It is once the session is over, and once nobody can be handing its
    /// messages over any more of which nobody knows that they went out.
    pub(crate) fn slot_wait(&self, now: Timestamp) -> Option<Duration> {
        let abandoned = |challenge: &Challenge| {
            let unknown = matches!(challenge.message.attempt, Attempt::Sending | Attempt::Unclear { provider: None });
            unknown && challenge.message.lease_until <= now
        };
        // What a retry follows went out.
        let went_out = self.replaced.iter().any(|replaced| replaced.in_vain);
        let free = self.is_over(now) || (!went_out && self.challenges.iter().all(abandoned));
        (!free).then(|| self.expires_at.since(now))
    }

    /// Whose counts it is in.
    pub(crate) fn users(&self) -> &[SubjectKey] {
        &self.users
    }

    /// Where wrong guesses at its recipients are counted, at those of its fallback channels too.
    #[must_use]
    pub fn budgets(&self) -> Vec<SubjectKey> {
        let asked = self.challenges.iter().map(|challenge| challenge.budget);
        let mut keys: Vec<SubjectKey> = asked.chain(self.fallback.iter().map(|planned| planned.budget)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Where wrong guesses at each channel that may still be asked are counted.
    pub(crate) fn budget_keys(&self) -> Vec<SubjectKey> {
        let open = self.challenges.iter().filter(|challenge| challenge.verified_at.is_none()).map(|challenge| challenge.budget);
        let mut keys: Vec<SubjectKey> = open.collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Where wrong guesses at these of its channels are counted.
    pub(crate) fn budgets_of(&self, channels: &[Channel]) -> Vec<(Channel, SubjectKey)> {
        let chosen = self.challenges.iter().filter(|challenge| channels.contains(&challenge.channel));
        chosen.map(|challenge| (challenge.channel, challenge.budget)).collect()
    }
}
