//! Send new codes for a session that is already open.

use std::net::IpAddr;
use std::sync::Arc;

use countersign_model::{Attempt, Channel, LimitName, MessageId, Mode, PerChannel, Recipient, TenantId};
use countersign_session::store::{self, Answer, Count, Heard, SendAgainVerdict, SendLimits};
use countersign_session::{CodeSource, Seed, Session, SessionStatus, SubjectKind, Turn};

use crate::admission::{TRIES, Told};
use crate::callers::{Caller, bucket};
use crate::effective::Rules;
use crate::idempotency::IdempotencyKey;
use crate::platform::Platform;
use crate::refusal::{About, Refusal};
use crate::send::Sent;
use crate::staging::Staging;
use crate::status::{Handle, Named};

/// Asks for new codes.
#[derive(Debug, Clone)]
pub struct Resend {
    /// How the wire named the session.
    pub handle: Handle,
    /// Which channels; none: all that are not proved.
    pub channels: Option<Vec<Channel>>,
    /// The END USER's address, as far as the caller tells it.
    pub client_ip: Option<IpAddr>,
    /// The idempotency key.
    pub idempotency: Option<IdempotencyKey>,
}

/// Asks for the next fallback channel now instead of at its time.
#[derive(Debug, Clone)]
pub struct Next {
    /// How the wire named the session.
    pub handle: Handle,
}

impl Platform {
    /// New codes, a new expiry, the same token. A resend is a send: it counts against the same limits.
    pub async fn resend(self: &Arc<Self>, caller: &Caller, command: Resend) -> Result<Sent, Refusal> {
        let Named { session: id, mode, service, is_test, .. } = self.resolve(caller, &command.handle).await?;
        let mode = mode.ok_or(Refusal::Unknown)?;
        let (step, messages) = (self.step_id(caller.scope.tenant), self.message_ids(caller.scope.tenant));
        // Only of these it matters who is asked.
        let known = if is_test || mode == Mode::Sandbox { self.store.find(caller.scope, id).await? } else { None };
        let mut caller = caller.clone();
        for _ in 0..TRIES {
            let claim = self.claim(&caller, Some(mode), command.idempotency.as_ref());
            // A service that is gone meanwhile leaves its sessions to the tenant's own rules.
            let rules = self.rules(&caller.config, service, mode).or_else(|| self.rules(&caller.config, None, mode));
            let rules = rules.ok_or(Refusal::Internal("the default service is gone"))?;
            let staging = match &known {
                Some(session) => self.staging_of(session, Some(&rules.service), self.now().plus(session.policy().life)),
                None => Ok(self.staging(mode)),
            };
            let Staging { seed, instant } = match staging {
                Ok(staging) => staging,
                Err(refused) => {
                    caller = self.newer(&caller).await?.ok_or(refused)?;
                    continue;
                }
            };
            let codes = CodeSource::Seed(seed.clone());
            let step = store::Resend {
                guard: self.guard(&caller),
                scope: caller.scope,
                session: id,
                step,
                channels: command.channels.clone(),
                seed,
                messages: messages.clone(),
                instant,
                lease: self.settings.lease,
                limits: self.send_limits(&caller, mode, command.client_ip, &[], &rules),
                claim,
            };
            match self.told(&caller, self.store.resend(step).await?).await? {
                Told::Verdict(verdict, replayed) => {
                    let (session, channels) = sent_again(verdict)?;
                    if replayed {
                        return self.sent(*session, channels, &codes, true);
                    }
                    let handed = self.hand_over_again(*session, channels, &codes, claim).await?;
                    return self.told_of(handed, &codes);
                }
                Told::Again(newer) => caller = newer,
            }
        }
        Err(Refusal::Unsettled)
    }

    /// Opens the next fallback channel at the caller's wish.
    pub async fn next(self: &Arc<Self>, caller: &Caller, command: Next) -> Result<Sent, Refusal> {
        let id = self.resolve(caller, &command.handle).await?.session;
        let Some(session) = self.store.find(caller.scope, id).await? else {
            self.admit(caller).await?;
            return Err(Refusal::Unknown);
        };
        // Two callers that ask at once mean the same turn. Where that comes to nothing the channel behind it follows by itself.
        let is_opening = session.newest().any(|challenge| challenge.message.attempt == Attempt::Sending);
        if is_opening && session.status(self.clock.now()) == SessionStatus::Pending {
            self.admit(caller).await?;
            return Err(Refusal::NoFallback(About::of(&session)));
        }
        let turn = session.next_fallback().map_or(Turn::Next, Turn::Of);
        let (session, channels, codes) = self.advance(Some(caller), &session, turn).await?;
        let handed = self.hand_over_again(session, channels, &codes, None).await?;
        self.told_of(handed, &codes)
    }

    /// The step that opens the next fallback channel of a session.
    pub(crate) async fn advance(
        &self,
        caller: Option<&Caller>,
        session: &Session,
        turn: Turn,
    ) -> Result<(Session, Vec<Channel>, CodeSource), Refusal> {
        let scope = session.scope();
        let (step, messages) = (self.step_id(scope.tenant), self.message_ids(scope.tenant));
        let mut caller = caller.cloned();
        let Staging { seed, instant } = match self.staging_now(session) {
            Ok(staging) => staging,
            Err(refused) => {
                let Some(asks) = &caller else { return Err(refused) };
                let newer = self.newer(asks).await?.ok_or(refused)?;
                caller = Some(newer);
                self.staging_now(session)?
            }
        };
        for _ in 0..TRIES {
            let step = store::Advance {
                guard: caller.as_ref().map(|caller| self.guard(caller)),
                scope,
                session: session.id(),
                step,
                turn,
                seed: seed.clone(),
                messages: messages.clone(),
                instant: instant.clone(),
                lease: self.settings.lease,
            };
            let heard = self.store.advance(step).await?;
            let verdict = match (&caller, heard.answer) {
                (Some(asks), answer) => match self.told(asks, Heard { quota: heard.quota, answer }).await? {
                    Told::Verdict(verdict, _) => verdict,
                    Told::Again(newer) => {
                        caller = Some(newer);
                        continue;
                    }
                },
                (None, Answer::Fresh(verdict)) => verdict,
                (None, _) => return Err(Refusal::Internal("a step that nobody asked for was turned away")),
            };
            let (session, channels) = sent_again(verdict)?;
            return Ok((*session, channels, CodeSource::Seed(seed)));
        }
        Err(Refusal::Unsettled)
    }

    /// What the next message of a session brings along, by the records that this node knows now.
    fn staging_now(&self, session: &Session) -> Result<Staging, Refusal> {
        let config = self.directory.tenant(session.scope().tenant);
        let rules = config.and_then(|config| self.rules(&config, session.service(), session.mode()));
        self.staging_of(session, rules.as_ref().map(|rules| &rules.service), session.expires_at())
    }

    /// Fresh chance for live codes; the key of derivation for sandbox codes.
    pub(crate) fn seed(&self, mode: Mode) -> Seed {
        match mode {
            Mode::Live => Seed::random(&*self.rng),
            Mode::Sandbox => self.keys.sandbox_seed(),
        }
    }

    fn message_ids(&self, tenant: TenantId) -> PerChannel<MessageId> {
        let now = self.clock.now();
        PerChannel::from_fn(|_| MessageId::mint(now, &*self.rng, tenant.partition()))
    }

    /// What a send counts against, beyond its users' own counts: the end user's address, and recipients where they are counted instead of users.
    pub(crate) fn send_limits(
        &self,
        caller: &Caller,
        mode: Mode,
        client_ip: Option<IpAddr>,
        recipients: &[&Recipient],
        rules: &Rules,
    ) -> SendLimits {
        let subject = |kind, value: &str| self.keys.subject(caller.scope.tenant, mode, kind, "", value);
        let by_address = |address: IpAddr| {
            let subject = subject(SubjectKind::Ip, &bucket(address).to_string());
            Count { subject, name: LimitName::SendsPerIp, limit: rules.sends_per_ip }
        };
        let by_recipient = |recipient: &&Recipient| {
            let subject = subject(SubjectKind::Recipient, &recipient.normalised());
            Count { subject, name: LimitName::SendsPerRecipient, limit: rules.sends_per_recipient }
        };
        let mut counts: Vec<Count> = recipients.iter().map(by_recipient).collect();
        counts.sort_unstable_by_key(|count| count.subject);
        counts.dedup_by_key(|count| count.subject);
        counts.extend(client_ip.map(by_address));
        SendLimits { counts, per_user: rules.sends_per_user, active_per_user: rules.active_per_user }
    }
}

fn sent_again(verdict: SendAgainVerdict) -> Result<(Box<Session>, Vec<Channel>), Refusal> {
    let about = |session: Box<Session>| About::of(&session);
    Err(match verdict {
        SendAgainVerdict::Sent(session, channels) => return Ok((session, channels)),
        SendAgainVerdict::AlreadyVerified(session) => Refusal::AlreadyVerified(about(session)),
        SendAgainVerdict::Canceled(session) => Refusal::Canceled(about(session)),
        SendAgainVerdict::Expired(session) => Refusal::Expired(about(session)),
        SendAgainVerdict::Locked(session) => Refusal::Locked(about(session)),
        SendAgainVerdict::ChannelNotFound(session) => Refusal::ChannelNotFound(about(session)),
        SendAgainVerdict::ChannelVerified(session) => Refusal::ChannelVerified(about(session)),
        SendAgainVerdict::NoFallback(session) => Refusal::NoFallback(about(session)),
        SendAgainVerdict::Limited { session, limit, wait } => Refusal::Limited { limit, wait, about: Some(about(session)) },
        SendAgainVerdict::RecipientBlocked { session, wait, .. } => {
            Refusal::RecipientBlocked { wait, about: Some(about(session)) }
        }
        SendAgainVerdict::InsufficientBalance(session) => Refusal::InsufficientBalance(Some(about(session))),
        SendAgainVerdict::Unknown => Refusal::Unknown,
    })
}
