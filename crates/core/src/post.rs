//! Send a text that asks for no answer.

use std::sync::Arc;
use std::time::Duration;

use countersign_model::{
    AllFailed, Attempt, Autofill, Channel, Dialect, InvalidRecipient, MessageId, Mode, OutgoingText, PhoneNumber, Policy,
    ReceiptPolicy, Recipient, ResendPolicy, ServiceId, Timestamp, VerificationMode,
};
use countersign_session::store::{Claim, Open, SendLimits};
use countersign_session::{CodeSource, Names, NewChallenge, NewSession, Session};

use crate::admission::{TRIES, Told};
use crate::callers::Caller;
use crate::errand::errand;
use crate::idempotency::IdempotencyKey;
use crate::languages::Languages;
use crate::platform::Platform;
use crate::refusal::Refusal;
use crate::sandbox::{Outcome, TurnedAway, outcome_of_text};
use crate::send::opened;
use crate::staging::Unfit;

/// What a notice is for, in the records and in the counts of its recipient.
const PURPOSE: &str = "notice";

/// The way that it goes.
const CHANNEL: Channel = Channel::Sms;

/// A text message. Built by a dialect, which has checked its length.
#[derive(Debug, Clone)]
pub struct Post {
    /// The wire it came by.
    pub dialect: Dialect,
    /// The profile.
    pub service: Option<ServiceId>,
    /// To whom.
    pub recipient: PhoneNumber,
    /// What is said, word by word.
    pub body: String,
    /// The idempotency key.
    pub idempotency: Option<IdempotencyKey>,
}

/// A text message that is on its way, or may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posted {
    /// Names it in webhooks and records.
    pub message: MessageId,
    /// When it was taken on.
    pub at: Timestamp,
    /// In the sandbox nothing leaves the house.
    pub mode: Mode,
    /// An earlier call with the same idempotency key was answered so.
    pub replayed: bool,
}

/// Why nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// There is no such profile.
    #[error("unknown service")]
    UnknownService,
    /// The number fails the profile's number check.
    #[error("number refused by the number check")]
    Recipient(InvalidRecipient),
    /// The rules keep messages from this destination.
    #[error("messages to this destination are blocked")]
    DestinationBlocked,
    /// No provider took it.
    #[error("no provider took the message")]
    NothingSent,
    /// The rest.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// A text message that may be tried.
struct Planned {
    new: NewSession,
    text: OutgoingText,
    limits: SendLimits,
    claim: Option<Claim>,
}

impl Platform {
    /// Sends a text message, within the limits and from the balance from which codes are sent. What is sent is not kept.
    pub async fn post(self: &Arc<Self>, caller: &Caller, command: Post) -> Result<Posted, PostError> {
        let mut caller = caller.clone();
        for _ in 0..TRIES {
            let planned = match self.plan_post(&caller, &command) {
                Ok(planned) => planned,
                Err(refused) => {
                    caller = self.newer(&caller).await?.ok_or(refused)?;
                    continue;
                }
            };
            let Planned { new, text, limits, claim } = planned;
            let step = Open { guard: self.guard(&caller), session: new, limits, claim };
            let heard = self.store.open(step).await.map_err(Refusal::from)?;
            match self.told(&caller, heard).await? {
                Told::Again(newer) => caller = newer,
                Told::Verdict(verdict, true) => return posted(&*opened(verdict)?, true),
                Told::Verdict(verdict, false) => {
                    let session = *opened(verdict)?;
                    let handed = self.hand_over(session, vec![self.router.prepare_text(text)], vec![CHANNEL], claim).await?;
                    return posted(&handed.session, false);
                }
            }
        }
        Err(Refusal::Unsettled.into())
    }

    /// Settles the rules and checks what depends on the profile. Nothing is stored or counted yet.
    fn plan_post(&self, caller: &Caller, command: &Post) -> Result<Planned, PostError> {
        let (mode, tenant) = (caller.mode(), caller.scope.tenant);
        let rules = self.rules(&caller.config, command.service, mode).ok_or(PostError::UnknownService)?;
        let recipient = Recipient::Phone(command.recipient.clone());
        let outcome = outcome_of_text(mode, command.dialect, &recipient);
        outcome.map_or(Ok(()), |outcome| outcome.turn_away(command.dialect))?;
        let rehearsal = outcome.and_then(Outcome::rehearsal);
        let country = self.look_at(&rules.service, mode, CHANNEL, &recipient)?;
        let challenge = NewChallenge {
            channel: CHANNEL,
            recipient: recipient.clone(),
            message: MessageId::mint(self.clock.now(), &*self.rng, tenant.partition()),
            budget: self.budget(tenant, mode, PURPOSE, &recipient),
            cost: rules.cost(CHANNEL, country),
            instant: self.router.instant(mode, CHANNEL).filter(|_| rehearsal.is_none()),
        };
        let id = self.mint_session(caller);
        let text = OutgoingText {
            id: challenge.message,
            errand: errand(caller.scope, id, rules.service.id, &recipient, Vec::new()),
            mode,
            channel: CHANNEL,
            recipient: recipient.clone(),
            sender: None,
            app_name: rules.service.app_name.clone(),
            locale: Languages::of(None, country, rules.service.locale.as_deref()).first().to_owned(),
            text: command.body.clone(),
            rehearsal,
        };
        let new = NewSession {
            id,
            scope: caller.scope,
            mode,
            dialect: command.dialect,
            service: rules.service.id,
            purpose: PURPOSE.to_owned(),
            app_name: text.app_name.clone(),
            locale: text.locale.clone(),
            template: None,
            sender: None,
            autofill: Autofill::default(),
            metadata: "{}".to_owned(),
            add_contact: false,
            contact_locale: None,
            policy: policy(),
            challenges: vec![challenge],
            fallback: Vec::new(),
            users: Vec::new(),
            codes: CodeSource::Notice,
            lease: self.settings.lease,
            billing: rules.prices.as_ref().map(|(_, terms)| *terms),
            names: Names::default(),
        };
        let limits = self.send_limits(caller, mode, None, &[&recipient], &rules);
        let claim = self.claim(caller, Some(mode), command.idempotency.as_ref());
        Ok(Planned { new, text, limits, claim })
    }
}

/// The rules of something that nobody can answer.
const fn policy() -> Policy {
    Policy {
        code_length: 6,
        life: Duration::from_secs(60),
        max_attempts: 1,
        verification_mode: VerificationMode::Any,
        shared_code: false,
        resend_after: Duration::ZERO,
        resend: ResendPolicy::Rotate,
        resend_unlocks: false,
        all_failed: AllFailed::Error,
        receipts: ReceiptPolicy::DEFAULT,
    }
}

fn posted(notice: &Session, replayed: bool) -> Result<Posted, PostError> {
    let message = notice.challenges().first().map(|challenge| &challenge.message);
    match message {
        Some(message) if !matches!(message.attempt, Attempt::Failed(_)) => {
            Ok(Posted { message: message.id, at: notice.created_at(), mode: notice.mode(), replayed })
        }
        Some(_) | None => Err(PostError::NothingSent),
    }
}

impl From<TurnedAway> for PostError {
    fn from(away: TurnedAway) -> Self {
        match away {
            TurnedAway::Barred => Self::DestinationBlocked,
            TurnedAway::Refused(refusal) => Self::Refused(refusal),
        }
    }
}

impl From<Unfit> for PostError {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Number => Self::Recipient(InvalidRecipient::Phone),
            Unfit::Barred => Self::DestinationBlocked,
        }
    }
}
