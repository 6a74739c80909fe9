//! What a send comes to once the profile, the caller and the defaults have had their say.

use countersign_model::{KeyKind, MessageId, Mode, Money, Policy, Recipient, Service, Timestamp};
use countersign_session::store::{Claim, SendLimits};
use countersign_session::{CodeSource, NewChallenge, NewSession, PlannedChannel, SubjectKey, SubjectKind};

use crate::callers::Caller;
use crate::numbers;
use crate::platform::Platform;
use crate::send::{Codes, Send, SendError};

/// The native dialect's defaults, for what neither the call nor the profile says.
const CODE_LENGTH: u8 = 6;
const LIFE: std::time::Duration = std::time::Duration::from_secs(600);
const MAX_ATTEMPTS: u8 = 3;
/// The language of messages when nobody asks for one.
const LOCALE: &str = "en";

/// A send that may be tried.
pub(crate) struct Plan {
    pub(crate) new: NewSession,
    pub(crate) limits: SendLimits,
    pub(crate) claim: Option<Claim>,
}

impl Platform {
    /// Settles a send's rules and checks what depends on the profile. Nothing is stored or counted yet.
    pub(crate) fn plan(&self, caller: &Caller, command: &Send) -> Result<Plan, SendError> {
        let mode = if command.sandbox || caller.scope.keys == KeyKind::Test { Mode::Sandbox } else { Mode::Live };
        let rules = self.rules(&caller.config, command.service, mode).ok_or(SendError::UnknownService)?;
        let service = &rules.service;
        let policy = policy(service, command)?;
        check_fallback(&policy, command)?;
        check_numbers(service, mode, command)?;
        let id = self.mint_session(caller);
        let cost = |channel, recipient: &Recipient| {
            let Some((prices, _)) = &rules.prices else { return Money::ZERO };
            let country = if let Recipient::Phone(number) = recipient { numbers::country(number) } else { None };
            prices.message(channel, country.as_deref())
        };
        let budget = |recipient: &Recipient| {
            let value = recipient.normalised();
            self.keys.subject(caller.scope.tenant, mode, SubjectKind::Budget, &command.purpose, &value)
        };
        let challenges: Vec<NewChallenge> = command
            .channels
            .iter()
            .map(|asked| NewChallenge {
                channel: asked.channel,
                recipient: asked.recipient.clone(),
                message: MessageId::mint(self.clock.now(), &*self.rng, caller.scope.tenant.partition()),
                budget: budget(&asked.recipient),
                cost: cost(asked.channel, &asked.recipient),
                instant: self.router.instant(mode, asked.channel),
            })
            .collect();
        let fallback: Vec<PlannedChannel> = command
            .fallback
            .iter()
            .map(|later| PlannedChannel {
                channel: later.channel,
                recipient: later.recipient.clone(),
                budget: budget(&later.recipient),
                cost: cost(later.channel, &later.recipient),
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
            locale: command.locale.clone().or_else(|| service.locale.clone()).unwrap_or_else(|| LOCALE.to_owned()),
            autofill: command.autofill.clone(),
            metadata: command.metadata.clone(),
            add_contact: command.add_contact,
            policy,
            challenges,
            fallback,
            users: self.users(caller, mode, command),
            codes: match &command.codes {
                Codes::Minted => CodeSource::Seed(self.seed(mode)),
                Codes::Given(codes) => CodeSource::Given(codes.clone()),
            },
            lease: self.settings.lease,
            billing: rules.prices.as_ref().map(|(_, terms)| *terms),
        };
        let claim = self.claim(caller, Some(mode), command.idempotency.as_ref());
        Ok(Plan { new, limits: self.send_limits(caller, mode, command.client_ip, &rules), claim })
    }

    /// Whose counts a session enters: the named user, or each address once.
    fn users(&self, caller: &Caller, mode: Mode, command: &Send) -> Vec<SubjectKey> {
        let subject = |kind, value: &str| self.keys.subject(caller.scope.tenant, mode, kind, "", value);
        if let Some(user) = &command.user_id {
            return vec![subject(SubjectKind::User, user)];
        }
        let mut users: Vec<SubjectKey> = command
            .channels
            .iter()
            .map(|asked| &asked.recipient)
            .chain(command.fallback.iter().map(|later| &later.recipient))
            .map(|recipient| subject(SubjectKind::Address, &recipient.normalised()))
            .collect();
        users.sort_unstable();
        users.dedup();
        users
    }
}

/// The call's value, else the service's, else the dialect's.
fn policy(service: &Service, command: &Send) -> Result<Policy, SendError> {
    let life = command.life.or(service.life).unwrap_or(LIFE);
    if life > service.max_life {
        return Err(SendError::LifeAboveCeiling { ceiling: service.max_life });
    }
    Ok(Policy {
        code_length: command.code_length.or(service.code_length).unwrap_or(CODE_LENGTH),
        life,
        max_attempts: command.max_attempts.or(service.max_attempts).unwrap_or(MAX_ATTEMPTS),
        verification_mode: command.verification_mode,
        shared_code: command.shared_code,
        resend_after: service.resend_after,
        resend: service.resend,
        resend_unlocks: service.resend_unlocks,
        all_failed: service.all_failed,
    })
}

fn check_fallback(policy: &Policy, command: &Send) -> Result<(), SendError> {
    match command.fallback.iter().find(|later| later.after >= policy.life) {
        Some(late) => Err(SendError::FallbackAfterExpiry { channel: late.channel }),
        None => Ok(()),
    }
}

/// The sandbox takes every well-formed number, so that sample numbers work there.
fn check_numbers(service: &Service, mode: Mode, command: &Send) -> Result<(), SendError> {
    let default = match mode {
        Mode::Live => countersign_model::NumberCheck::Possible,
        Mode::Sandbox => countersign_model::NumberCheck::Syntax,
    };
    let check = service.number_check.unwrap_or(default);
    let asked = command.channels.iter().map(|asked| (asked.channel, &asked.recipient));
    let later = command.fallback.iter().map(|later| (later.channel, &later.recipient));
    for (channel, recipient) in asked.chain(later) {
        if let Recipient::Phone(number) = recipient
            && !numbers::passes(number, check)
        {
            return Err(SendError::Recipient { channel, reason: countersign_model::InvalidRecipient::Phone });
        }
    }
    Ok(())
}
