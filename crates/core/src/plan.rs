//! What a send comes to once the profile, the caller and the defaults have had their say.

use countersign_model::{
    AllFailed, KeyKind, MessageId, Mode, Money, PerChannel, Policy, Recipient, Rehearsal, Service, TenantId, Timestamp,
};
use countersign_session::store::{Claim, SendLimits};
use countersign_session::{CodeSource, NewChallenge, NewSession, PlannedChannel, Seed, SubjectKey, SubjectKind};

use crate::callers::Caller;
use crate::dialects::{CountedBy, counted_by, defaults, tells_failed_sessions};
use crate::languages::Languages;
use crate::platform::Platform;
use crate::sandbox::SHORT_LIFE;
use crate::send::{Codes, Send, SendError};
use crate::staging::nobody;
use crate::wordings::{chosen_sender, chosen_template};

/// A send that may be tried.
pub(crate) struct Plan {
    pub(crate) new: NewSession,
    pub(crate) limits: SendLimits,
    pub(crate) claim: Option<Claim>,
    /// The profile.
    pub(crate) service: Service,
    /// What the sandbox makes of its messages.
    pub(crate) rehearsals: PerChannel<Option<Rehearsal>>,
    /// Whether it asks nobody but test recipients: nothing is sent.
    pub(crate) is_test: bool,
}

impl Platform {
    /// Settles a send's rules and checks what depends on the profile. Nothing is stored or counted yet. `contact_locale` is the language of a
    /// contact who is asked.
    pub(crate) fn plan(&self, caller: &Caller, command: &Send, contact_locale: Option<&str>) -> Result<Plan, SendError> {
        let mode = if command.sandbox || caller.scope.keys == KeyKind::Test { Mode::Sandbox } else { Mode::Live };
        let rules = self.rules(&caller.config, command.service, mode).ok_or(SendError::UnknownService)?;
        let service = &rules.service;
        let rehearsal = command.rehearsal.filter(|_| mode == Mode::Sandbox);
        let mut policy = policy(service, command, rehearsal)?;
        check_fallback(&policy, command)?;
        let everybody = self.cast(service, mode, command, self.clock.now().plus(policy.life))?;
        if everybody.expires_early() {
            policy.life = SHORT_LIFE;
        }
        let rehearsals = PerChannel::from_fn(|channel| rehearsal.or_else(|| everybody.rehearsal(channel)));
        let is_test = everybody.known.is_some();
        if is_test {
            // Each has a code of its own.
            policy.shared_code = false;
        }
        let id = self.mint_session(caller);
        let by_users = counted_by(command.dialect) == CountedBy::Users;
        let tenant = caller.scope.tenant;
        let cost = |channel| if is_test { Money::ZERO } else { rules.cost(channel, everybody.country(channel)) };
        let instant = |channel| {
            let first = if is_test { Some(nobody()) } else { self.router.instant(mode, channel) };
            first.filter(|_| rehearsals.get(channel).is_none())
        };
        let budget = |recipient: &Recipient| self.budget(tenant, mode, &command.purpose, recipient);
        let asked = command.locale.as_deref().or(contact_locale);
        let languages = Languages::of(asked, everybody.first_country(command), service.locale.as_deref());
        let challenges: Vec<NewChallenge> = command
            .channels
            .iter()
            .map(|asked| NewChallenge {
                channel: asked.channel,
                recipient: asked.recipient.clone(),
                message: MessageId::mint(self.clock.now(), &*self.rng, caller.scope.tenant.partition()),
                budget: budget(&asked.recipient),
                cost: cost(asked.channel),
                instant: instant(asked.channel),
            })
            .collect();
        let fallback: Vec<PlannedChannel> = command
            .fallback
            .iter()
            .map(|later| PlannedChannel {
                channel: later.channel,
                recipient: later.recipient.clone(),
                budget: budget(&later.recipient),
                cost: cost(later.channel),
                after: later.after,
                at: Timestamp::from_millis(0),
            })
            .collect();
        let new = NewSession {
            id,
            scope: caller.scope,
            mode,
            dialect: command.dialect,
            service: service.id,
            purpose: command.purpose.clone(),
            app_name: service.app_name.clone(),
            template: chosen_template(&caller.config, service.id, &languages, command)?,
            sender: chosen_sender(&caller.config, command)?,
            locale: languages.first().to_owned(),
            autofill: command.autofill.clone(),
            metadata: command.metadata.clone(),
            add_contact: command.add_contact,
            // What was worked out is no more than the language of a country, a service or another contact.
            contact_locale: command.locale.clone().filter(|_| command.add_contact),
            policy,
            challenges,
            fallback,
            users: if by_users { self.users(caller, mode, command) } else { Vec::new() },
            codes: match (everybody.known, &command.codes) {
                (Some(known), _) => CodeSource::Seed(Seed::known(known)),
                (None, Codes::Minted) => CodeSource::Seed(self.seed(mode)),
                (None, Codes::Given(codes)) => CodeSource::Given(codes.clone()),
            },
            lease: self.settings.lease,
            billing: rules.prices.as_ref().filter(|_| !is_test).map(|(_, terms)| *terms),
            names: self.names(tenant, mode, service, command),
        };
        let claim = self.claim(caller, Some(mode), command.idempotency.as_ref());
        let recipients: Vec<&Recipient> = if by_users { Vec::new() } else { command.recipients().collect() };
        let limits = self.send_limits(caller, mode, command.client_ip, &recipients, &rules);
        Ok(Plan { new, limits, claim, service: rules.service, rehearsals, is_test })
    }

    /// Where wrong guesses at a recipient are counted.
    pub(crate) fn budget(&self, tenant: TenantId, mode: Mode, purpose: &str, recipient: &Recipient) -> SubjectKey {
        self.keys.subject(tenant, mode, SubjectKind::Budget, purpose, &recipient.normalised())
    }

    /// Whose counts a session enters: the named user, or each address once.
    fn users(&self, caller: &Caller, mode: Mode, command: &Send) -> Vec<SubjectKey> {
        let subject = |kind, value: &str| self.keys.subject(caller.scope.tenant, mode, kind, "", value);
        if let Some(user) = &command.user_id {
            return vec![subject(SubjectKind::User, user)];
        }
        let addresses = command.recipients().map(|recipient| subject(SubjectKind::Address, &recipient.normalised()));
        let mut users: Vec<SubjectKey> = addresses.collect();
        users.sort_unstable();
        users.dedup();
        users
    }
}

/// The call's value, else the service's, else the dialect's.
fn policy(service: &Service, command: &Send, rehearsal: Option<Rehearsal>) -> Result<Policy, SendError> {
    let defaults = defaults(command.dialect);
    let life = command.life.or(service.life).unwrap_or(defaults.life);
    if life > service.max_life {
        return Err(SendError::LifeAboveCeiling { ceiling: service.max_life });
    }
    Ok(Policy {
        code_length: command.code_length.or(service.code_length).unwrap_or(defaults.code_length),
        life,
        max_attempts: command.max_attempts.or(service.max_attempts).unwrap_or(defaults.max_attempts),
        verification_mode: command.verification_mode,
        shared_code: command.shared_code,
        resend_after: service.resend_after,
        resend: service.resend,
        resend_unlocks: service.resend_unlocks,
        all_failed: match rehearsal {
            // What was to be seen is a session whose message failed.
            Some(_) => AllFailed::Session,
            None if tells_failed_sessions(command.dialect) => service.all_failed,
            None => AllFailed::Error,
        },
        receipts: service.receipts,
    })
}

fn check_fallback(policy: &Policy, command: &Send) -> Result<(), SendError> {
    match command.fallback.iter().find(|later| later.after >= policy.life) {
        Some(late) => Err(SendError::FallbackAfterExpiry { channel: late.channel }),
        None => Ok(()),
    }
}
