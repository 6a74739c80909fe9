//! How a session begins.

use std::collections::VecDeque;
use std::time::Duration;

use countersign_model::{
    Attempt, Autofill, Channel, Dialect, EventKind, MessageId, MessageStatus, Mode, Money, Policy, ProviderName, Recipient,
    Scope, ServiceId, SessionFacts, SessionId,
};

use super::{Bill, Billing, Challenge, Context, Message, PlannedChannel, Session};
use crate::code::{CodeSource, SubjectKey};

/// A session about to be opened. Everything in it has been checked.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Minted by the caller; also the id of the step that opens it.
    pub id: SessionId,
    /// Who may see it.
    pub scope: Scope,
    /// Live or sandbox.
    pub mode: Mode,
    /// The wire it is opened in.
    pub dialect: Dialect,
    /// The profile it is opened under.
    pub service: Option<ServiceId>,
    /// What the proof is for.
    pub purpose: String,
    /// The name that messages show.
    pub app_name: String,
    /// The language asked for.
    pub locale: String,
    /// How messages help phones to fill the code in.
    pub autofill: Autofill,
    /// The caller's JSON object, as text.
    pub metadata: String,
    /// Whether the first proved channel makes a contact.
    pub add_contact: bool,
    /// Its rules.
    pub policy: Policy,
    /// The channels that are asked at once; at least one, none twice.
    pub challenges: Vec<NewChallenge>,
    /// The channels that wait; their `at` is set when the session opens.
    pub fallback: Vec<PlannedChannel>,
    /// Whose counts the session enters.
    pub users: Vec<SubjectKey>,
    /// Where the codes come from.
    pub codes: CodeSource,
    /// How long handing over may take before its outcome counts as unclear.
    pub lease: Duration,
    /// How it is billed; none: nobody pays for it.
    pub billing: Option<Billing>,
}

/// A channel that is asked at once.
#[derive(Debug, Clone)]
pub struct NewChallenge {
    /// The way.
    pub channel: Channel,
    /// The person.
    pub recipient: Recipient,
    /// The id of its message.
    pub message: MessageId,
    /// Where wrong guesses at this recipient are counted.
    pub budget: SubjectKey,
    /// What its message costs.
    pub cost: Money,
    /// The provider, if it is final at once: then the message is recorded as accepted in the same step.
    pub instant: Option<ProviderName>,
}

impl NewSession {
    /// Where wrong guesses at everybody who is asked, now or later, are counted.
    pub(crate) fn budgets(&self) -> impl Iterator<Item = (Channel, SubjectKey)> {
        let asked = self.challenges.iter().map(|asked| (asked.channel, asked.budget));
        asked.chain(self.fallback.iter().map(|later| (later.channel, later.budget)))
    }
}

impl NewSession {
    /// What the log keeps of it.
    pub(crate) fn facts(&self) -> SessionFacts {
        let asked = self.challenges.iter().map(|asked| (asked.channel, asked.recipient.clone()));
        let later = self.fallback.iter().map(|later| (later.channel, later.recipient.clone()));
        SessionFacts {
            dialect: self.dialect,
            service: self.service,
            purpose: self.purpose.clone(),
            metadata: self.metadata.clone(),
            verification_mode: self.policy.verification_mode,
            max_attempts: self.policy.max_attempts,
            life: self.policy.life,
            add_contact: self.add_contact,
            messages: self.challenges.iter().map(|asked| (asked.message, asked.channel)).collect(),
            recipients: asked.chain(later).collect(),
        }
    }
}

impl Message {
    /// A message that is being handed over, or has been when its provider is final at once.
    pub(super) fn begin(
        id: MessageId,
        generation: u32,
        cost: Money,
        instant: Option<ProviderName>,
        lease: Duration,
        cx: &Context<'_>,
    ) -> Self {
        let (attempt, status, sent_at) = match instant {
            Some(provider) => (Attempt::Accepted { provider, provider_id: None }, MessageStatus::Sent, Some(cx.now)),
            None => (Attempt::Sending, MessageStatus::Pending, None),
        };
        Self { id, generation, attempt, status, sent_at, delivered_at: None, cost, lease_until: cx.now.plus(lease) }
    }
}

impl Session {
    /// Opens a session: every message is written down before a byte of it leaves.
    pub(crate) fn open(new: &NewSession, cx: &Context<'_>) -> (Self, Vec<EventKind>) {
        let expires_at = cx.now.plus(new.policy.life);
        let challenges: Vec<Challenge> = new.challenges.iter().map(|asked| Challenge::open(new, asked, cx)).collect();
        let mut events = vec![EventKind::SessionCreated(Box::new(new.facts()))];
        events.extend(challenges.iter().filter_map(Challenge::outcome));
        let mut session = Self {
            id: new.id,
            scope: new.scope,
            mode: new.mode,
            dialect: new.dialect,
            service: new.service,
            purpose: new.purpose.clone(),
            app_name: new.app_name.clone(),
            locale: new.locale.clone(),
            autofill: new.autofill.clone(),
            metadata: new.metadata.clone(),
            add_contact: new.add_contact,
            policy: new.policy,
            created_at: cx.now,
            expires_at,
            resend_after: cx.now.plus(new.policy.resend_after),
            generation: 0,
            challenges,
            fallback: new.fallback.iter().map(|planned| planned.starting(cx)).collect(),
            wrong: 0,
            before_resend: None,
            end: None,
            expiry_told: false,
            bill: new.billing.map(Bill::new),
            users: new.users.clone(),
            events: 0,
            steps: VecDeque::new(),
        };
        session.capture_accepted(None, &mut events);
        (session, events)
    }
}

impl Challenge {
    fn open(new: &NewSession, asked: &NewChallenge, cx: &Context<'_>) -> Self {
        let expires_at = cx.now.plus(new.policy.life);
        let code = new.codes.code(new.id, asked.channel, new.policy.shared_code, 0, new.policy.code_length);
        let digest = code.map(|code| cx.keys.digest(new.id, asked.channel, 0, &code, expires_at));
        Self {
            channel: asked.channel,
            recipient: asked.recipient.clone(),
            message: Message::begin(asked.message, 0, asked.cost, asked.instant.clone(), new.lease, cx),
            verified_at: None,
            digests: digest.into_iter().collect(),
            budget: asked.budget,
        }
    }

    /// What the log hears of a message that is no longer being handed over.
    pub(super) fn outcome(&self) -> Option<EventKind> {
        outcome_event(self.message.id, self.channel, &self.message.attempt)
    }
}

/// The event of an attempt's outcome; none while it is under way.
pub(super) fn outcome_event(message: MessageId, channel: Channel, attempt: &Attempt) -> Option<EventKind> {
    match attempt.clone() {
        Attempt::Sending => None,
        Attempt::Accepted { provider, provider_id } => Some(EventKind::MessageSent { message, channel, provider, provider_id }),
        Attempt::Unclear { provider } => Some(EventKind::MessageUnclear { message, channel, provider }),
        Attempt::Failed(reason) => Some(EventKind::MessageFailed { message, channel, reason }),
    }
}

impl PlannedChannel {
    /// The same with its turn counted from now.
    pub(super) fn starting(&self, cx: &Context<'_>) -> Self {
        Self { at: cx.now.plus(self.after), ..self.clone() }
    }
}
