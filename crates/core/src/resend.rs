//! Send new codes for a session that is already open.

use std::net::IpAddr;
use std::sync::Arc;

use countersign_model::{Channel, Limit, LimitName, MessageId, Mode, PerChannel, ProviderName, TenantId};
use countersign_session::store::{self, Count, SendAgainVerdict, SendLimits};
use countersign_session::{CodeSource, Seed, Session, SubjectKind, Turn};

use crate::callers::{Caller, bucket};
use crate::idempotency::{IdempotencyKey, verdict_of};
use crate::platform::Platform;
use crate::refusal::{About, Refusal};
use crate::send::Sent;
use crate::status::Handle;

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
        let id = self.resolve(&command.handle)?;
        // The mode decides where codes come from and whose limits count; it never changes, so reading it first is no race.
        let mode = self.store.find(caller.scope, id).await?.ok_or(Refusal::Unknown)?.mode();
        let seed = self.seed(mode);
        let claim = self.claim(caller, Some(mode), command.idempotency.as_ref());
        let step = store::Resend {
            scope: caller.scope,
            session: id,
            step: self.step_id(caller.scope.tenant),
            channels: command.channels,
            seed: seed.clone(),
            messages: self.message_ids(caller.scope.tenant),
            instant: self.instant_providers(mode),
            lease: self.settings.lease,
            limits: self.send_limits(caller, mode, command.client_ip),
            claim,
        };
        let codes = CodeSource::Seed(seed);
        let (verdict, replayed) = verdict_of(self.store.resend(step).await?)?;
        let (session, channels) = sent_again(verdict)?;
        if replayed {
            return self.sent(*session, channels, &codes, true);
        }
        let handed = self.hand_over_again(*session, channels, &codes, claim).await?;
        self.told(handed, &codes)
    }

    /// Opens the next fallback channel at the caller's wish.
    pub async fn next(self: &Arc<Self>, caller: &Caller, command: Next) -> Result<Sent, Refusal> {
        let id = self.resolve(&command.handle)?;
        let session = self.store.find(caller.scope, id).await?.ok_or(Refusal::Unknown)?;
        // Two callers that ask at once mean the same turn.
        let turn = session.next_fallback().map_or(Turn::Next, Turn::Of);
        let (session, channels, codes) = self.advance(&session, turn).await?;
        let handed = self.hand_over_again(session, channels, &codes, None).await?;
        self.told(handed, &codes)
    }

    /// The step that opens the next fallback channel of a session.
    pub(crate) async fn advance(&self, session: &Session, turn: Turn) -> Result<(Session, Vec<Channel>, CodeSource), Refusal> {
        let seed = self.seed(session.mode());
        let scope = session.scope();
        let step = store::Advance {
            scope,
            session: session.id(),
            step: self.step_id(scope.tenant),
            turn,
            seed: seed.clone(),
            messages: self.message_ids(scope.tenant),
            instant: self.instant_providers(session.mode()),
            lease: self.settings.lease,
        };
        let (session, channels) = sent_again(self.store.advance(step).await?)?;
        Ok((*session, channels, CodeSource::Seed(seed)))
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

    pub(crate) fn instant_providers(&self, mode: Mode) -> PerChannel<Option<ProviderName>> {
        PerChannel::from_fn(|channel| self.router.instant(mode, channel))
    }

    /// What a send counts against, beyond its users' own counts.
    pub(crate) fn send_limits(&self, caller: &Caller, mode: Mode, client_ip: Option<IpAddr>) -> SendLimits {
        let limits = &self.settings.limits;
        let per_ip: Limit = limits.sends_per_ip;
        let count = |address: IpAddr| {
            let address = bucket(address).to_string();
            let subject = self.keys.subject(caller.scope.tenant, mode, SubjectKind::Ip, "", &address);
            Count { subject, name: LimitName::SendsPerIp, limit: per_ip }
        };
        SendLimits {
            counts: client_ip.map(count).into_iter().collect(),
            per_user: limits.sends_per_user,
            active_per_user: limits.active_per_user,
        }
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
        SendAgainVerdict::Unknown => Refusal::Unknown,
    })
}
