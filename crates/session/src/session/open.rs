//! How a session begins.

use std::collections::VecDeque;
use std::time::Duration;

use countersign_model::{
    Attempt, Autofill, Channel, Code, Dialect, EventKind, MessageId, MessageStatus, Mode, Money, Policy, ProviderName, Recipient,
    Scope, ServiceId, SessionFacts, SessionId, Uuid,
};

use super::{Bill, Billing, Challenge, Context, End, Message, PlannedChannel, Session};
use crate::code::{CodeSource, Fingerprint, SubjectKey};

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
    /// The template that the caller chose for its messages.
    pub template: Option<Uuid>,
    /// Whom its messages are to come from, where a provider lets callers choose.
    pub sender: Option<String>,
    /// How messages help phones to fill the code in.
    pub autofill: Autofill,
    /// The caller's JSON object, as text.
    pub metadata: String,
    /// Whether the first proved channel makes a contact.
    pub add_contact: bool,
    /// The language that this contact gets: the one that the caller named, and no other. Told to the log, and not kept in the session.
    pub contact_locale: Option<String>,
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
    /// How it is billed; none: nobody pays for it. A notice pays for its message, never a fee.
    pub billing: Option<Billing>,
    /// What else it is found by, besides its id.
    pub names: Names,
}

/// What a session is found by besides its id. A session without names costs nothing more; with them, a row for each.
///
/// Nothing that ends a session touches its names: whoever looks sees the sessions and judges for himself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Names {
    /// What only one living session may hold at a time, such as a service and a recipient. Taken: nothing is opened, sent or counted. Names
    /// the session that took it last for 24 hours from its opening, so that one that expired is told from one that never was.
    pub slot: Option<Fingerprint>,
    /// What many may share, such as a recipient. Names the newest 64 of those whose codes live; a resend does not prolong that.
    pub recipient: Option<Fingerprint>,
    /// Whether its first code alone finds it while that code lives. A minted code of a single channel is then chosen among
    /// [`CANDIDATES`](Self::CANDIDATES) so that no other session of the tenant and mode is found by it: the session's generation, which is
    /// then not always 0, says which it is. Where none of them is free, and for a code that was given, several sessions are found by one.
    pub by_code: bool,
}

impl Names {
    /// How many codes an opening chooses from: those of the generations from 0 on.
    pub const CANDIDATES: u32 = 4;
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
    /// Whether it is a message without a code.
    pub(crate) const fn is_notice(&self) -> bool {
        matches!(self.codes, CodeSource::Notice)
    }

    /// How many codes it may be opened with, of which one is chosen.
    pub(crate) fn candidates(&self) -> u32 {
        let chooses = self.names.by_code && self.challenges.len() == 1 && matches!(self.codes, CodeSource::Seed(_));
        if chooses { Names::CANDIDATES } else { 1 }
    }

    /// The codes of its channels, in their order, if the opening send is of that generation.
    pub(crate) fn codes_of(&self, generation: u32) -> impl Iterator<Item = Code> {
        let (shared, length) = (self.policy.shared_code, self.policy.code_length);
        self.challenges.iter().filter_map(move |asked| self.codes.code(self.id, asked.channel, shared, generation, length))
    }

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
        Self {
            id,
            generation,
            attempt,
            status,
            sent_at,
            delivered_at: None,
            undelivered: None,
            carrier: None,
            follow_at: None,
            cost,
            lease_until: cx.now.plus(lease),
        }
    }
}

impl Session {
    /// Opens a session: every message is written down before a byte of it leaves. `generation`: of its codes, 0 where they are not chosen.
    pub(crate) fn open(new: &NewSession, generation: u32, cx: &Context<'_>) -> (Self, Vec<EventKind>) {
        let expires_at = cx.now.plus(new.policy.life);
        let open = |asked: &NewChallenge| Challenge::open(new, asked, generation, cx);
        let challenges: Vec<Challenge> = new.challenges.iter().map(open).collect();
        let facts = Box::new(new.facts());
        let created = if new.is_notice() { EventKind::NoticeOpened(facts) } else { EventKind::SessionCreated(facts) };
        let mut events = vec![created];
        events.extend(new.contact_locale.clone().map(|locale| EventKind::LocaleNamed { locale }));
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
            template: new.template,
            sender: new.sender.clone(),
            autofill: new.autofill.clone(),
            metadata: new.metadata.clone(),
            add_contact: new.add_contact,
            policy: new.policy,
            created_at: cx.now,
            expires_at,
            resend_after: cx.now.plus(new.policy.resend_after),
            generation,
            challenges,
            fallback: new.fallback.iter().map(|planned| planned.starting(cx)).collect(),
            wrong: 0,
            before_resend: None,
            end: new.is_notice().then_some(End::Notice(cx.now)),
            expiry_told: false,
            bill: new.billing.map(|terms| Bill::new(if new.is_notice() { terms.without_fee() } else { terms })),
            users: new.users.clone(),
            events: 0,
            steps: VecDeque::new(),
            replaced: Vec::new(),
        };
        session.capture_accepted(None, &mut events);
        (session, events)
    }
}

impl Challenge {
    fn open(new: &NewSession, asked: &NewChallenge, generation: u32, cx: &Context<'_>) -> Self {
        let expires_at = cx.now.plus(new.policy.life);
        let code = new.codes.code(new.id, asked.channel, new.policy.shared_code, generation, new.policy.code_length);
        let digest = code.map(|code| cx.keys.digest(new.id, asked.channel, generation, &code, expires_at));
        Self {
            channel: asked.channel,
            recipient: asked.recipient.clone(),
            message: Message::begin(asked.message, generation, asked.cost, asked.instant.clone(), new.lease, cx),
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
