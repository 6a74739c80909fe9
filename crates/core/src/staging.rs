//! What a send owes to who is asked, and not to what is asked: where numbers are, recipients of the sandbox that stand for an outcome, and test
//! recipients, whose codes are known beforehand and to whom nothing is sent.

use countersign_model::{
    Channel, Code, Country, InvalidRecipient, Mode, NumberCheck, Passage, PerChannel, PhoneNumber, ProviderName, Recipient,
    Rehearsal, Service, Timestamp,
};
use countersign_session::{Seed, Session};
use tracing::warn;

use crate::numbers::{NumberFacts, look};
use crate::platform::Platform;
use crate::refusal::{About, Refusal};
use crate::sandbox::{Outcome, TurnedAway, outcome};
use crate::send::{Send, SendError};

/// What is known of everybody whom a new send asks, now or later. No channel is asked twice.
pub(crate) struct Cast {
    countries: PerChannel<Option<Country>>,
    outcomes: PerChannel<Option<Outcome>>,
    /// The codes of test recipients; none: one of those who are asked is none.
    pub(crate) known: Option<PerChannel<Code>>,
}

impl Cast {
    /// Where the number of a channel is.
    pub(crate) const fn country(&self, channel: Channel) -> Option<Country> {
        *self.countries.get(channel)
    }

    /// Where the first number is that is asked.
    pub(crate) fn first_country(&self, command: &Send) -> Option<Country> {
        let asked = command.channels.iter().map(|asked| asked.channel);
        asked.chain(command.fallback.iter().map(|later| later.channel)).find_map(|channel| self.country(channel))
    }

    /// What the sandbox makes of the message of a channel.
    pub(crate) fn rehearsal(&self, channel: Channel) -> Option<Rehearsal> {
        (*self.outcomes.get(channel)).and_then(Outcome::rehearsal)
    }

    /// Whether the codes are to die early.
    pub(crate) fn expires_early(&self) -> bool {
        Channel::ALL.into_iter().any(|channel| *self.outcomes.get(channel) == Some(Outcome::Expires))
    }
}

/// What a further send of a session brings along.
pub(crate) struct Staging {
    pub(crate) seed: Seed,
    pub(crate) instant: PerChannel<Option<ProviderName>>,
}

/// Why a number is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It fails the number check.
    Number,
    /// The rules keep messages from it.
    Barred,
}

impl Unfit {
    const fn on(self, channel: Channel) -> SendError {
        match self {
            Self::Number => SendError::Recipient { channel, reason: InvalidRecipient::Phone },
            Self::Barred => SendError::DestinationBlocked { channel },
        }
    }
}

impl TurnedAway {
    fn on(self, channel: Channel) -> SendError {
        match self {
            Self::Barred => Unfit::Barred.on(channel),
            Self::Refused(refusal) => refusal.into(),
        }
    }
}

/// How closely a number is looked at is the service's to say. Without it the sandbox takes every well-formed one, so that sample numbers work
/// there.
fn check(service: &Service, mode: Mode, facts: NumberFacts) -> Result<(), Unfit> {
    let check = service.number_check.unwrap_or(match mode {
        Mode::Live => NumberCheck::Possible,
        Mode::Sandbox => NumberCheck::Syntax,
    });
    if facts.passes(check) { Ok(()) } else { Err(Unfit::Number) }
}

impl Platform {
    /// Looks everybody up whom a send asks, and turns it away where one of them may not be asked. `dies_at`: when its codes would die.
    pub(crate) fn cast(&self, service: &Service, mode: Mode, command: &Send, dies_at: Timestamp) -> Result<Cast, SendError> {
        let asked = command.channels.iter().map(|asked| (asked.channel, &asked.recipient));
        let later = command.fallback.iter().map(|later| (later.channel, &later.recipient));
        let everybody: Vec<(Channel, &Recipient)> = asked.chain(later).collect();
        let known = if mode == Mode::Live { known_codes(service, everybody.iter().copied(), dies_at) } else { None };
        let (mut countries, mut outcomes) = ([None; Channel::ALL.len()], [None; Channel::ALL.len()]);
        let mut last: Option<(&PhoneNumber, NumberFacts)> = None;
        for (channel, recipient) in everybody {
            let at = usize::from(channel.tag()) - 1;
            outcomes[at] = outcome(mode, command.dialect, recipient);
            if let Some(outcome) = outcomes[at] {
                outcome.turn_away(command.dialect).map_err(|away| away.on(channel))?;
            }
            let Recipient::Phone(number) = recipient else { continue };
            let facts = match last {
                Some((same, facts)) if same == number => facts,
                _ => look(number),
            };
            last = Some((number, facts));
            check(service, mode, facts).map_err(|unfit| unfit.on(channel))?;
            if known.is_none() {
                self.permit(service, mode, channel, recipient, facts).map_err(|unfit| unfit.on(channel))?;
            }
            countries[at] = facts.country;
        }
        let at = |channel: Channel| usize::from(channel.tag()) - 1;
        Ok(Cast {
            countries: PerChannel::from_fn(|channel| countries[at(channel)]),
            outcomes: PerChannel::from_fn(|channel| outcomes[at(channel)]),
            known,
        })
    }

    /// The same for a plain text. Tells where the number is.
    pub(crate) fn look_at(
        &self,
        service: &Service,
        mode: Mode,
        channel: Channel,
        recipient: &Recipient,
    ) -> Result<Option<Country>, Unfit> {
        let Recipient::Phone(number) = recipient else { return Ok(None) };
        let facts = look(number);
        check(service, mode, facts)?;
        self.permit(service, mode, channel, recipient, facts)?;
        Ok(facts.country)
    }

    /// Whether the rules keep a further message from where the first ones of its session were let through: they may have changed since.
    pub(crate) fn is_barred(&self, service: &Service, mode: Mode, channel: Channel, recipient: &Recipient) -> bool {
        let Recipient::Phone(number) = recipient else { return false };
        self.permit(service, mode, channel, recipient, look(number)).is_err()
    }

    /// Lets a live number pass, or not. Each one is counted, and one in a country that is watched is logged. The sandbox reaches nobody, so
    /// everybody may be asked there.
    fn permit(
        &self,
        service: &Service,
        mode: Mode,
        channel: Channel,
        recipient: &Recipient,
        facts: NumberFacts,
    ) -> Result<(), Unfit> {
        if mode == Mode::Sandbox {
            return Ok(());
        }
        let passage = service.numbers.passage(channel, facts.country, facts.kind);
        self.metrics.destination(channel, facts.country, facts.kind, passage);
        match passage {
            Passage::Free => Ok(()),
            Passage::Monitored => {
                let (country, kind) =
                    (facts.country.map_or_else(String::new, |country| country.to_string()), facts.kind.as_str());
                warn!(%channel, recipient = recipient.masked(), country, kind, "a message goes to a country that is watched");
                Ok(())
            }
            Passage::Barred => Err(Unfit::Barred),
        }
    }

    /// For a send of a session of which nothing is known that would need more.
    pub(crate) fn staging(&self, mode: Mode) -> Staging {
        Staging { seed: self.seed(mode), instant: PerChannel::from_fn(|channel| self.router.instant(mode, channel)) }
    }

    /// For a further send of this session. One of test recipients never goes to anybody else: once they are none any more, or their codes would
    /// outlive that, nothing is sent again.
    pub(crate) fn staging_of(
        &self,
        session: &Session,
        service: Option<&Service>,
        dies_at: Timestamp,
    ) -> Result<Staging, Refusal> {
        if session.is_test() {
            let known = service.and_then(|service| known_codes(service, session.recipients(), dies_at));
            let codes = known.ok_or_else(|| Refusal::Expired(About::of(session)))?;
            return Ok(Staging { seed: Seed::known(codes), instant: PerChannel::from_fn(|_| Some(nobody())) });
        }
        let mut staging = self.staging(session.mode());
        let rehearses = |of: Channel| {
            let mut asked = session.recipients();
            asked.any(|(channel, recipient)| channel == of && rehearsal(session, recipient).is_some())
        };
        staging.instant = PerChannel::from_fn(|channel| staging.instant.get(channel).clone().filter(|_| !rehearses(channel)));
        Ok(staging)
    }
}

/// What the sandbox makes of a message of the session to `recipient`.
pub(crate) fn rehearsal(session: &Session, recipient: &Recipient) -> Option<Rehearsal> {
    outcome(session.mode(), session.dialect(), recipient).and_then(Outcome::rehearsal)
}

/// Who takes messages to test recipients.
pub(crate) fn nobody() -> ProviderName {
    ProviderName::new(ProviderName::TEST_RECIPIENT)
}

/// The codes of test recipients. None where one of those who are asked is none, or not until the codes are dead: a code that is known must
/// never stand beside one that was sent.
fn known_codes<'a>(
    service: &Service,
    everybody: impl Iterator<Item = (Channel, &'a Recipient)>,
    dies_at: Timestamp,
) -> Option<PerChannel<Code>> {
    if service.test_recipients.is_empty() {
        return None;
    }
    let code = |recipient: &Recipient| {
        let known = service.test_recipients.iter().find(|known| known.is(recipient) && dies_at <= known.until)?;
        known.code.clone()
    };
    let codes: Vec<(Channel, Code)> =
        everybody.map(|(channel, recipient)| Some((channel, code(recipient)?))).collect::<Option<_>>()?;
    let (_, any) = codes.first()?;
    Some(PerChannel::from_fn(|of| {
        codes.iter().find(|(channel, _)| *channel == of).map_or_else(|| any.clone(), |(_, code)| code.clone())
    }))
}
