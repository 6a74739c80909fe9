//! What a step answers. None of these is an error: the step was heard.

use std::time::Duration;

use countersign_model::{Channel, LimitName, MessageId, Money, Quota, Reference, Report, Timestamp};
use serde::{Deserialize, Serialize};

use crate::session::{Carried, Delivery, Judgement, Session};

/// What a caller's step came to, and how many calls its key has left.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard<V> {
    /// None where no call was counted: nobody called, the caller was turned away, or this very step had been taken before.
    pub quota: Option<Quota>,
    /// What is answered.
    pub answer: Answer<V>,
}

/// A verdict, seen through the idempotency key that the call carried, if any.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer<V> {
    /// The step was taken, or refused, now.
    Fresh(V),
    /// An earlier call with the same key and body was answered so.
    Replayed(V),
    /// An earlier call with the same key is still running.
    Running,
    /// An earlier call with the same key had another body.
    Mismatch,
    /// The caller's node knows an older revision of the tenant's records: it must read them again. Nothing was done or counted.
    Stale {
        /// The newest revision that was told.
        revision: u64,
    },
    /// The caller's API key was revoked.
    Revoked,
    /// The caller's API key has no call left. Nothing was done.
    TooManyCalls,
}

/// What an `open` came to.
#[derive(Debug, Clone, PartialEq)]
pub enum OpenVerdict {
    /// It is open; its messages are written down.
    Opened(Box<Session>),
    /// A limit is used up. Nothing was counted.
    Limited {
        /// Which one.
        limit: LimitName,
        /// How long until one more fits.
        wait: Duration,
    },
    /// Wrong guesses at a recipient are used up. Nothing was counted.
    RecipientBlocked {
        /// On which channel it was asked.
        channel: Channel,
        /// How long.
        wait: Duration,
    },
    /// The tenant's balance does not cover it. Nothing was counted.
    InsufficientBalance,
    /// Another session holds the slot. Nothing was counted.
    SlotTaken {
        /// How long until that session expires.
        wait: Duration,
    },
}

/// What a strike came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StrikeVerdict {
    /// It is counted; one that only looks would find room for one more.
    Room {
        /// How many more fit.
        remaining: u32,
    },
    /// There is no room. Nothing was counted.
    Full {
        /// How long until there is.
        wait: Duration,
    },
}

/// What recording outcomes came to.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordVerdict {
    /// They are written down.
    Recorded(Box<Session>, Delivery),
    /// There is no such session.
    Unknown,
}

/// What a verification came to.
#[derive(Debug, Clone, PartialEq)]
pub enum VerifyVerdict {
    /// The guesses were heard. Told with it are the messages whose codes the right ones were; of an answer that was given before, the
    /// newest ones of the channels that it proved.
    Judged(Box<Session>, Judgement, Vec<Carried>),
    /// The session was completed before.
    AlreadyVerified(Box<Session>),
    /// The caller ended it, or no message of it ever went out.
    Canceled(Box<Session>),
    /// Its codes are dead.
    Expired(Box<Session>),
    /// Its attempts are used up.
    Locked(Box<Session>),
    /// No named channel is in the session.
    ChannelNotFound(Box<Session>),
    /// The named channels were proved before.
    ChannelVerified(Box<Session>),
    /// The guess named no channel and more than one could be meant.
    ChannelNeeded(Box<Session>),
    /// Wrong guesses at a recipient are used up.
    RecipientBlocked {
        /// The session.
        session: Box<Session>,
        /// On which channel it is asked.
        channel: Channel,
        /// How long.
        wait: Duration,
    },
    /// There is no such session in this scope.
    Unknown,
}

/// What a resend, or the turn of a fallback channel, came to.
#[derive(Debug, Clone, PartialEq)]
pub enum SendAgainVerdict {
    /// New codes were made for these channels; their messages are written down.
    Sent(Box<Session>, Vec<Channel>),
    /// The session is complete.
    AlreadyVerified(Box<Session>),
    /// The session was ended.
    Canceled(Box<Session>),
    /// Its attempts are used up and a resend does not unlock it.
    Locked(Box<Session>),
    /// Its codes are dead: a fallback does not renew them.
    Expired(Box<Session>),
    /// A named channel is not in the session.
    ChannelNotFound(Box<Session>),
    /// A named channel was proved before.
    ChannelVerified(Box<Session>),
    /// No fallback channel is left.
    NoFallback(Box<Session>),
    /// A limit is used up. Nothing was counted.
    Limited {
        /// The session.
        session: Box<Session>,
        /// Which one.
        limit: LimitName,
        /// How long until it fits.
        wait: Duration,
    },
    /// Wrong guesses at a recipient are used up.
    RecipientBlocked {
        /// The session.
        session: Box<Session>,
        /// On which channel it is asked.
        channel: Channel,
        /// How long.
        wait: Duration,
    },
    /// The tenant's balance does not cover it. Nothing was counted.
    InsufficientBalance(Box<Session>),
    /// There is no such session in this scope.
    Unknown,
}

/// What a credit came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditVerdict {
    /// It is in the balance now.
    Credited(Balance),
    /// It was taken before.
    Before(Balance),
    /// The balance is smaller than what it would take away, or would become larger than any may be: it counts as taken, and nothing was moved.
    /// Said again whenever it is asked for: whoever died before writing that down hears it.
    Short(Balance),
    /// Credits before it are missing.
    Gap {
        /// The number of the first of them.
        next: u64,
    },
}

/// A tenant's balance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Balance {
    /// Credits less captures.
    pub balance: Money,
    /// The part of it that is held for messages on their way.
    pub held: Money,
    /// How many credits are in it.
    pub credits: u64,
}

impl Balance {
    /// What sends can still be paid from.
    #[must_use]
    pub fn available(&self) -> Money {
        self.balance - self.held
    }
}

/// What a cancel came to.
#[derive(Debug, Clone, PartialEq)]
pub enum CancelVerdict {
    /// It is ended, now or before.
    Canceled(Box<Session>),
    /// It is complete and stays so.
    AlreadyVerified(Box<Session>),
    /// There is no such session in this scope.
    Unknown,
}

/// What a receipt came to.
#[derive(Debug, Clone, PartialEq)]
pub enum ReceiveVerdict {
    /// It said something new; this is the session now.
    Changed(Box<Session>),
    /// Nothing new: it came before, or something better is known.
    Unchanged,
    /// There is no such message here, or somebody else took it.
    Unknown,
}

/// A receipt that waits until its message is known by the provider's name for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedReceipt {
    /// What it says.
    pub report: Report,
    /// When that happened, by the provider's clock.
    pub at: Option<Timestamp>,
    /// Who carried the message the last mile.
    pub carrier: Option<String>,
}

/// What a provider's own name stands for: a message, or one of the parts in which it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedMessage {
    /// The message.
    pub reference: Reference,
    /// The names of all its parts; none: it went whole.
    pub parts: Vec<String>,
}

impl NamedMessage {
    /// One that went whole.
    #[must_use]
    pub const fn whole(reference: Reference) -> Self {
        Self { reference, parts: Vec::new() }
    }
}

/// What time asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LapseVerdict {
    /// Done.
    Settled,
    /// Done, and the next fallback channel's turn has come.
    FallbackDue,
    /// Done, and something is to follow a message: its receipt is bad, or missing for too long.
    Undelivered {
        /// The message.
        message: MessageId,
        /// On which channel, where it is the newest.
        channel: Channel,
    },
}

/// What an idempotency key stands for. No token, no code, no digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// A session as a send left it, and the channels that a resend chose.
    Sent(Box<Session>, Vec<Channel>),
    /// A judged verification.
    Judged(Box<Session>, Judgement),
    /// A session as a cancel left it.
    Canceled(Box<Session>),
}
