//! Open a session and send its codes.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use countersign_channels::{Prepared, RenderError};
use countersign_model::{
    AllFailed, Autofill, Channel, Code, Dialect, InvalidRecipient, Mode, Outgoing, Recipient, Rehearsal, ServiceId, SessionId,
    VerificationMode,
};
use countersign_session::store::{Claim, Open, OpenVerdict};
use countersign_session::{CodeSource, Delivery, Session};

use crate::admission::{TRIES, Told};
use crate::callers::Caller;
use crate::deliver::Handed;
use crate::errand::errand;
use crate::idempotency::IdempotencyKey;
use crate::languages::Languages;
use crate::plan::Plan;
use crate::platform::Platform;
use crate::refusal::Refusal;
use crate::sandbox::StagedReceipt;
use crate::wordings::{SenderChoice, Speech, TemplateChoice, speech, unsaid};

/// What a proof is for when nobody says.
const PURPOSE: &str = "verification";

/// What a caller asks for. Built by a dialect, which has checked its form; what depends on the service is checked here.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a wish that a call has or has not, apart from the others")]
pub struct Send {
    /// The wire it came by.
    pub dialect: Dialect,
    /// Nothing is to leave the house. Test keys always ask for that.
    pub sandbox: bool,
    /// Who is asked at once, and how: 1 to 4, no channel twice.
    pub channels: Vec<Asked>,
    /// Who is asked later, while nobody has answered; no channel twice or asked at once.
    pub fallback: Vec<Later>,
    /// Digits of a minted code.
    pub code_length: Option<u8>,
    /// How long the codes live.
    pub life: Option<Duration>,
    /// Calls with a wrong guess before the session locks.
    pub max_attempts: Option<u8>,
    /// One code for all channels.
    pub shared_code: bool,
    /// What completes the session.
    pub verification_mode: VerificationMode,
    /// Codes that the caller chose.
    pub codes: Codes,
    /// The caller's JSON object, as text.
    pub metadata: String,
    /// Whether the first proved channel makes a contact.
    pub add_contact: bool,
    /// The profile.
    pub service: Option<ServiceId>,
    /// BCP 47 tag.
    pub locale: Option<String>,
    /// Keeps sessions of one recipient apart.
    pub purpose: String,
    /// Whose limits apply.
    pub user_id: Option<String>,
    /// The END USER's address, as far as the caller tells it.
    pub client_ip: Option<IpAddr>,
    /// How messages help phones to fill the code in.
    pub autofill: Autofill,
    /// Which of the tenant's templates words the messages; none: those that are used by themselves.
    pub template: Option<TemplateChoice>,
    /// Whom the messages come from, where a provider lets callers choose.
    pub sender: Option<SenderChoice>,
    /// Whether it takes the place of the dialect's earlier sessions of the same recipient and purpose: they are canceled once it is open.
    pub replaces: bool,
    /// What the sandbox makes of the messages. A live send does not look at it.
    pub rehearsal: Option<Rehearsal>,
    /// What the sandbox says later of the messages that it took at once. Nothing is said of a live send.
    pub receipt: Option<StagedReceipt>,
    /// The idempotency key.
    pub idempotency: Option<IdempotencyKey>,
}

impl Send {
    /// A send on one channel with everything else left open.
    #[must_use]
    pub fn to(dialect: Dialect, channel: Channel, recipient: Recipient) -> Self {
        Self {
            dialect,
            sandbox: false,
            channels: vec![Asked { channel, recipient }],
            fallback: Vec::new(),
            code_length: None,
            life: None,
            max_attempts: None,
            shared_code: false,
            verification_mode: VerificationMode::Any,
            codes: Codes::Minted,
            metadata: "{}".to_owned(),
            add_contact: false,
            service: None,
            locale: None,
            purpose: PURPOSE.to_owned(),
            user_id: None,
            client_ip: None,
            autofill: Autofill::default(),
            template: None,
            sender: None,
            replaces: false,
            rehearsal: None,
            receipt: None,
            idempotency: None,
        }
    }

    /// Everybody who is asked, now or later.
    pub(crate) fn recipients(&self) -> impl Iterator<Item = &Recipient> {
        let asked = self.channels.iter().map(|asked| &asked.recipient);
        asked.chain(self.fallback.iter().map(|later| &later.recipient))
    }
}

/// A channel asked at once.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The way.
    pub channel: Channel,
    /// The person.
    pub recipient: Recipient,
}

/// A channel whose turn comes later.
#[derive(Debug, Clone)]
pub struct Later {
    /// The way.
    pub channel: Channel,
    /// The person.
    pub recipient: Recipient,
    /// How long after the send.
    pub after: Duration,
}

/// Where the codes come from.
#[derive(Debug, Clone)]
pub enum Codes {
    /// From us.
    Minted,
    /// From the caller, one for each asked channel.
    Given(BTreeMap<Channel, Code>),
}

/// What was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The session, as the send left it.
    pub session: Session,
    /// The channels of this send.
    pub channels: Vec<Channel>,
    /// Names the session to verify, resend and cancel. Signed anew for every reply, never kept.
    pub token: String,
    /// The codes, in a sandbox session only.
    pub codes: Option<BTreeMap<Channel, Code>>,
    /// An earlier call with the same idempotency key was answered so.
    pub replayed: bool,
}

/// Why nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// There is no such profile.
    #[error("unknown service")]
    UnknownService,
    /// The life asked for is above the profile's ceiling.
    #[error("life above the service's ceiling")]
    LifeAboveCeiling {
        /// The ceiling.
        ceiling: Duration,
    },
    /// A fallback's turn would come after the codes are dead.
    #[error("fallback after expiry")]
    FallbackAfterExpiry {
        /// Which one.
        channel: Channel,
    },
    /// The number fails the profile's number check.
    #[error("number refused by the number check")]
    Recipient {
        /// On which channel it was asked.
        channel: Channel,
        /// What a caller is told.
        reason: InvalidRecipient,
    },
    /// The rules keep messages from this destination.
    #[error("messages to this destination are blocked")]
    DestinationBlocked {
        /// On which channel it was asked.
        channel: Channel,
    },
    /// The message cannot be put into words.
    #[error("message cannot be rendered")]
    Message {
        /// On which channel.
        channel: Channel,
        /// Why.
        source: RenderError,
    },
    /// The tenant has no such template.
    #[error("unknown template")]
    UnknownTemplate,
    /// The template that was chosen has no place for the code: it was kept without a look.
    #[error("the template has no place for the code")]
    TemplateWithoutCode,
    /// The template that was chosen is for another channel.
    #[error("the template is for another channel than {channel}")]
    TemplateForOtherChannel {
        /// The one that was asked.
        channel: Channel,
    },
    /// The tenant has no such sender for the channel, or it is not a name that a message could show.
    #[error("unknown sender")]
    UnknownSender,
    /// The rest.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Platform {
    /// Opens a session within its limits, hands its messages over, and tells how that went.
    ///
    /// Everything that can be refused is refused before the session exists. From then on the work goes on in a task of its own: a caller
    /// that hangs up changes nothing about what is sent and recorded.
    pub async fn send(self: &Arc<Self>, caller: &Caller, command: Send) -> Result<Sent, SendError> {
        let mut caller = caller.clone();
        let locale = self.contact_locale(caller.scope.tenant, &command).await;
        for _ in 0..TRIES {
            let planned = self.plan(&caller, &command, locale.as_deref()).and_then(|plan| Ok((self.word(&caller, &plan)?, plan)));
            let (prepared, plan) = match planned {
                Ok(planned) => planned,
                Err(refused) => {
                    caller = self.newer(&caller).await?.ok_or(refused)?;
                    continue;
                }
            };
            let (codes, claim, names) = (plan.new.codes.clone(), plan.claim, plan.new.names);
            let step = Open { guard: self.guard(&caller), session: plan.new, limits: plan.limits, claim };
            let heard = self.store.open(step).await.map_err(Refusal::from)?;
            match self.told(&caller, heard).await? {
                Told::Verdict(verdict, replayed) => {
                    let session = opened(verdict)?;
                    if let Some(shared) = names.recipient.filter(|_| command.replaces) {
                        self.replace_earlier(&session, shared).await;
                    }
                    let sent = self.sent_off(*session, prepared, codes, claim, replayed).await?;
                    if let Some(receipt) = command.receipt.filter(|_| !replayed) {
                        self.stage_receipts(&sent.session, receipt);
                    }
                    return Ok(sent);
                }
                Told::Again(newer) => caller = newer,
            }
        }
        Err(Refusal::Unsettled.into())
    }

    /// The same caller by newer records, if there are any: what is refused by older ones, such as a service made a moment ago at another
    /// node, is planned anew. Counts the call, as a step would have.
    pub(crate) async fn newer(&self, caller: &Caller) -> Result<Option<Caller>, Refusal> {
        match self.admit(caller).await {
            Ok(admitted) => Ok(Some(admitted).filter(|admitted| admitted.revision > caller.revision)),
            Err(refusal @ (Refusal::KeyRevoked | Refusal::TooManyCalls { .. })) => Err(refusal),
            // It stays refused for what is wrong with it.
            Err(_) => Ok(None),
        }
    }

    /// Hands the messages of a new session over; a replayed one has had its own.
    async fn sent_off(
        self: &Arc<Self>,
        session: Session,
        prepared: Vec<Prepared>,
        codes: CodeSource,
        claim: Option<Claim>,
        replayed: bool,
    ) -> Result<Sent, SendError> {
        let channels = session.challenges().iter().map(|challenge| challenge.channel).collect();
        if replayed {
            return Ok(self.sent(session, channels, &codes, true)?);
        }
        // The store chose another of the codes than the first: the words are made anew.
        let handed = match session.generation() {
            0 => self.hand_over(session, prepared, channels, claim).await?,
            1.. => self.hand_over_again(session, channels, &codes, claim).await?,
        };
        Ok(self.told_of(handed, &codes)?)
    }

    /// The messages of a new session, in words, so that nothing is opened that cannot be said.
    fn word(&self, caller: &Caller, plan: &Plan) -> Result<Vec<Prepared>, SendError> {
        let new = &plan.new;
        if plan.is_test {
            return Ok(Vec::new());
        }
        let expires_at = self.clock.now().plus(new.policy.life);
        let mut prepared = Vec::with_capacity(new.challenges.len());
        for asked in &new.challenges {
            let code = new.codes.code(new.id, asked.channel, new.policy.shared_code, 0, new.policy.code_length);
            let Some(code) = code else { continue };
            let errand = errand(new.scope, new.id, new.service, &asked.recipient, Vec::new());
            let languages = Languages::of(Some(&new.locale), errand.country, plan.service.locale.as_deref());
            let Speech { locale, wording } = speech(Some(&caller.config), new.service, new.template, asked.channel, &languages);
            let message = Outgoing {
                id: asked.message,
                errand,
                mode: new.mode,
                channel: asked.channel,
                recipient: asked.recipient.clone(),
                sender: new.sender.clone(),
                code,
                app_name: new.app_name.clone(),
                locale,
                expires_at,
                minutes: minutes(new.policy.life),
                autofill: new.autofill.clone(),
                never_share: plan.service.never_share,
                wording,
                rehearsal: *plan.rehearsals.get(asked.channel),
            };
            let channel = asked.channel;
            let is_chosen = new.template.is_some();
            prepared.push(self.router.prepare(message).map_err(|source| unsaid(channel, is_chosen, source))?);
        }
        Ok(prepared)
    }

    /// The answer to a send whose messages have been handed over.
    pub(crate) fn told_of(&self, handed: Handed, codes: &CodeSource) -> Result<Sent, Refusal> {
        let nothing_sent = handed.delivery != Delivery::Sent && handed.session.policy().all_failed == AllFailed::Error;
        let sent = self.sent(handed.session, handed.channels, codes, false)?;
        if nothing_sent { Err(Refusal::NothingSent(Box::new(sent))) } else { Ok(sent) }
    }

    /// A session in the form of an answer. Sandbox codes are derived again, so a replay shows them without their having been kept.
    pub(crate) fn sent(
        &self,
        session: Session,
        channels: Vec<Channel>,
        codes: &CodeSource,
        replayed: bool,
    ) -> Result<Sent, Refusal> {
        let signed = self.tokens.sign(&session);
        let token = signed.map_err(|_| Refusal::Internal("the session token could not be signed"))?;
        let codes = (session.mode() == Mode::Sandbox).then(|| self.sandbox_codes(&session, &channels, codes));
        Ok(Sent { session, channels, token, codes, replayed })
    }

    fn sandbox_codes(&self, session: &Session, channels: &[Channel], given: &CodeSource) -> BTreeMap<Channel, Code> {
        let derived = CodeSource::Seed(self.keys.sandbox_seed());
        let wanted = session.challenges().iter().filter(|challenge| channels.contains(&challenge.channel));
        let code = |challenge: &countersign_session::Challenge| {
            let (policy, generation) = (session.policy(), challenge.message.generation);
            let source = if generation == 0 { given } else { &derived };
            source.code(session.id(), challenge.channel, policy.shared_code, generation, policy.code_length)
        };
        wanted.filter_map(|challenge| Some((challenge.channel, code(challenge)?))).collect()
    }

    pub(crate) fn mint_session(&self, caller: &Caller) -> SessionId {
        SessionId::mint(self.clock.now(), &*self.rng, caller.scope.tenant.partition())
    }

    pub(crate) fn claim(&self, caller: &Caller, mode: Option<Mode>, key: Option<&IdempotencyKey>) -> Option<Claim> {
        key.map(|key| key.claim(caller, mode, &self.keys, &self.settings))
    }
}

pub(crate) fn opened(verdict: OpenVerdict) -> Result<Box<Session>, Refusal> {
    match verdict {
        OpenVerdict::Opened(session) => Ok(session),
        OpenVerdict::Limited { limit, wait } => Err(Refusal::Limited { limit, wait, about: None }),
        OpenVerdict::RecipientBlocked { wait, .. } => Err(Refusal::RecipientBlocked { wait, about: None }),
        OpenVerdict::InsufficientBalance => Err(Refusal::InsufficientBalance(None)),
        OpenVerdict::SlotTaken { wait } => Err(Refusal::SlotTaken { wait }),
    }
}

/// A life in the minutes that people are told: rounded up, so that nobody is told zero.
pub(crate) fn minutes(life: Duration) -> u32 {
    u32::try_from(life.as_millis().div_ceil(60_000)).unwrap_or(u32::MAX)
}
