//! Whether guesses prove control of a recipient. Decided here, once, for every engine that runs in this process.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use countersign_model::{Channel, EventKind, SessionId, Timestamp, VerificationMode};
use serde::{Deserialize, Serialize};

use super::{BeforeResend, Carried, Challenge, Context, End, Opened, Session, SessionStatus};
use crate::code::{CodeKeys, SubjectKey};
use crate::guess::{Guess, Guesses};
use crate::subject::Subject;

/// What became of one asked channel's guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum GuessResult {
    /// It is a code of the session.
    Right,
    /// It is not.
    Wrong,
    /// The channel is not part of the session; nothing was compared.
    NotInSession,
    /// The channel was proved before; nothing was compared.
    VerifiedBefore,
}

/// A verdict: what a call that was heard came to. A wrong guess is a verdict, not an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// A result for each asked channel, in the order asked. For a guess that named none: the channel it matched, else all it was held against.
    pub results: Vec<(Channel, GuessResult)>,
    /// This call completed the session, or each of its guesses for a channel that was still open was right.
    pub verified: bool,
    /// The session is complete by its mode.
    pub session_verified: bool,
    /// Calls with a wrong guess that will still be heard.
    pub attempts_remaining: u8,
    /// Channels proved so far.
    pub verified_channels: Vec<Channel>,
    /// Channels not proved.
    pub pending_channels: Vec<Channel>,
    /// When the session was completed.
    pub verified_at: Option<Timestamp>,
}

/// Why nothing was compared. It changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VerifyRefusal {
    AlreadyVerified,
    Canceled,
    Expired,
    Locked,
    /// No named channel is in the session.
    ChannelNotFound,
    /// The named channels were proved before.
    ChannelVerified,
    /// The guess names no channel and more than one could be meant.
    ChannelNeeded,
    /// Wrong guesses at this recipient are used up.
    RecipientBlocked {
        channel: Channel,
        wait: Duration,
    },
}

/// The counts of the recipients of a session, read before it is judged.
pub(crate) type Budgets = BTreeMap<SubjectKey, Subject>;

/// A guess and the challenges it is held against, by their place.
struct Comparison<'a> {
    asked: Option<Channel>,
    guess: &'a Guess,
    against: Vec<usize>,
}

impl Session {
    /// Counts, compares and marks, in one go, and tells whose messages the right codes were. On a refusal nothing has changed.
    /// `spare_budget`: the recipients' budgets have paid already.
    pub(crate) fn verify(
        &mut self,
        guesses: &Guesses,
        spare_budget: bool,
        budgets: &mut Budgets,
        cx: &Context<'_>,
    ) -> Result<(Judgement, Vec<Carried>, Vec<EventKind>), VerifyRefusal> {
        match self.status(cx.now) {
            SessionStatus::Verified => return Err(VerifyRefusal::AlreadyVerified),
            SessionStatus::Canceled | SessionStatus::Failed => return Err(VerifyRefusal::Canceled),
            SessionStatus::Expired => return Err(VerifyRefusal::Expired),
            SessionStatus::Locked => return Err(VerifyRefusal::Locked),
            SessionStatus::Pending => {}
        }
        let comparisons = self.comparisons(guesses)?;
        let distinct = self.distinct_guesses(&comparisons, spare_budget);
        Self::refuse_blocked(&distinct, budgets, cx)?;

        let (mut matches, mut opened) = (Vec::new(), Vec::new());
        for comparison in &comparisons {
            let (at, codes) = self.find_match(comparison, cx).unzip();
            matches.push(at);
            opened.extend(codes.into_iter().flatten());
        }
        let carried = self.carried(&opened);
        let any_wrong = matches.contains(&None);
        let mut events = Vec::new();
        let results = self.results(guesses, &comparisons, &matches);
        let newly: BTreeSet<usize> = matches.iter().flatten().copied().collect();
        self.mark_verified(&newly, budgets, cx, &mut events);
        if any_wrong {
            let wrong: Vec<_> = comparisons.iter().zip(&matches).filter(|(_, found)| found.is_none()).map(|(c, _)| c).collect();
            let distinct_wrong = self.distinct_guesses(&wrong, spare_budget);
            self.count_wrong(&distinct_wrong, budgets, cx, &mut events);
        }
        let session_verified = self.complete_if_proved(cx, &mut events);
        if any_wrong && !session_verified && self.attempts_remaining() == 0 {
            events.push(EventKind::SessionLocked);
        }
        let judgement = Judgement {
            results,
            verified: session_verified || !any_wrong,
            session_verified,
            attempts_remaining: self.attempts_remaining(),
            verified_channels: self.verified_channels(),
            pending_channels: self.pending_channels(),
            verified_at: self.verified_at(),
        };
        Ok((judgement, carried, events))
    }

    /// Which challenges each guess is held against. At least one comparison, each against at least one challenge.
    fn comparisons<'a>(&self, guesses: &'a Guesses) -> Result<Vec<Comparison<'a>>, VerifyRefusal> {
        let open: Vec<usize> = (0..self.challenges.len()).filter(|at| self.challenges[*at].verified_at.is_none()).collect();
        let any = self.policy.verification_mode == VerificationMode::Any;
        let named = match guesses {
            Guesses::Unnamed(_) if !any && open.len() != 1 => return Err(VerifyRefusal::ChannelNeeded),
            Guesses::Unnamed(guess) => return Ok(vec![Comparison { asked: None, guess, against: open }]),
            Guesses::Named(named) => named,
        };
        let mut comparisons = Vec::new();
        let mut proved_before = false;
        for (channel, guess) in named {
            let Some(place) = self.place(*channel) else { continue };
            if self.challenges[place].verified_at.is_some() {
                proved_before = true;
            } else if any {
                // The named channel first, so that it is the one proved when two channels share a code.
                let others = open.iter().copied().filter(|at| *at != place);
                comparisons.push(Comparison {
                    asked: Some(*channel),
                    guess,
                    against: std::iter::once(place).chain(others).collect(),
                });
            } else {
                comparisons.push(Comparison { asked: Some(*channel), guess, against: vec![place] });
            }
        }
        match (comparisons.is_empty(), proved_before) {
            (false, _) => Ok(comparisons),
            (true, true) => Err(VerifyRefusal::ChannelVerified),
            (true, false) => Err(VerifyRefusal::ChannelNotFound),
        }
    }

    fn place(&self, channel: Channel) -> Option<usize> {
        self.challenges.iter().position(|challenge| challenge.channel == channel)
    }

    /// How many different guesses each compared recipient faces: what its budget pays for. None of them, where it is spared.
    fn distinct_guesses<'a, C>(&self, comparisons: &'a [C], spare_budget: bool) -> BTreeMap<SubjectKey, (Channel, u32)>
    where
        C: std::borrow::Borrow<Comparison<'a>>,
    {
        let mut seen: BTreeMap<SubjectKey, (Channel, BTreeSet<&str>)> = BTreeMap::new();
        for comparison in comparisons {
            let comparison: &Comparison<'_> = comparison.borrow();
            for at in &comparison.against {
                let challenge = &self.challenges[*at];
                seen.entry(challenge.budget).or_insert((challenge.channel, BTreeSet::new())).1.insert(comparison.guess.expose());
            }
        }
        let counted = |(key, (channel, guesses)): (SubjectKey, (Channel, BTreeSet<&str>))| {
            let paid = if spare_budget { 0 } else { u32::try_from(guesses.len()).unwrap_or(u32::MAX) };
            (key, (channel, paid))
        };
        seen.into_iter().map(counted).collect()
    }

    /// A recipient whose budget cannot pay for all of a call's guesses, were they wrong, hears none of them.
    fn refuse_blocked(
        distinct: &BTreeMap<SubjectKey, (Channel, u32)>,
        budgets: &Budgets,
        cx: &Context<'_>,
    ) -> Result<(), VerifyRefusal> {
        for (key, (channel, guesses)) in distinct {
            if let Some(wait) = budgets.get(key).and_then(|subject| subject.guess_wait(cx.budget, *guesses, cx.now)) {
                return Err(VerifyRefusal::RecipientBlocked { channel: *channel, wait });
            }
        }
        Ok(())
    }

    /// The first challenge that a guess opens, by its place, and which of its codes the guess was.
    fn find_match(&self, comparison: &Comparison<'_>, cx: &Context<'_>) -> Option<(usize, Vec<Opened>)> {
        let oldest = self.oldest_heard();
        comparison.against.iter().copied().find_map(|at| {
            let challenge = &self.challenges[at];
            let places = challenge.opened_by(self.id, comparison.guess, oldest, cx.now, cx.keys);
            let opened: Vec<Opened> = places.into_iter().map(|place| (challenge.channel, challenge.age(place))).collect();
            (!opened.is_empty()).then_some((at, opened))
        })
    }

    /// Whether `guess` is a code that it waits for at `now`: a look that counts nothing, for whoever has to choose among sessions. All of them are
    /// compared, so the time tells nothing.
    #[must_use]
    pub fn waits_for(&self, guess: &Guess, keys: &CodeKeys, now: Timestamp) -> bool {
        let oldest = self.oldest_heard();
        let open = self.challenges.iter().filter(|challenge| challenge.verified_at.is_none());
        let found = open.fold(false, |found, challenge| challenge.opens_for(self.id, guess, oldest, now, keys) | found);
        found && self.status(now) == SessionStatus::Pending
    }

    /// The generation from which codes are heard. A resend starts the attempts again for the codes it makes; until it is known to have
    /// gone out, the older codes are heard no more often than they would have been without it.
    fn oldest_heard(&self) -> u32 {
        let used_up = |before: &BeforeResend| before.wrong.saturating_add(self.wrong) >= self.policy.max_attempts;
        if self.before_resend.as_ref().is_some_and(used_up) { self.generation } else { 0 }
    }

    fn results(
        &self,
        guesses: &Guesses,
        comparisons: &[Comparison<'_>],
        matches: &[Option<usize>],
    ) -> Vec<(Channel, GuessResult)> {
        let Guesses::Named(named) = guesses else {
            return match matches.first().copied().flatten() {
                Some(at) => vec![(self.challenges[at].channel, GuessResult::Right)],
                None => self.pending_channels().into_iter().map(|channel| (channel, GuessResult::Wrong)).collect(),
            };
        };
        let result = |channel: Channel| {
            let compared = comparisons.iter().zip(matches).find(|(comparison, _)| comparison.asked == Some(channel));
            match compared {
                Some((_, Some(_))) => GuessResult::Right,
                Some((_, None)) => GuessResult::Wrong,
                None if self.place(channel).is_some() => GuessResult::VerifiedBefore,
                None => GuessResult::NotInSession,
            }
        };
        named.iter().map(|(channel, _)| (*channel, result(*channel))).collect()
    }

    fn mark_verified(&mut self, places: &BTreeSet<usize>, budgets: &mut Budgets, cx: &Context<'_>, events: &mut Vec<EventKind>) {
        let first = self.challenges.iter().all(|challenge| challenge.verified_at.is_none());
        for (nth, at) in places.iter().enumerate() {
            let challenge = &mut self.challenges[*at];
            challenge.verified_at = Some(cx.now);
            challenge.digests.clear();
            if let Some(subject) = budgets.get_mut(&challenge.budget) {
                subject.guessed_right();
            }
            events.push(EventKind::ChannelVerified { channel: challenge.channel });
            if self.add_contact && first && nth == 0 {
                events.push(EventKind::ContactDue { channel: challenge.channel });
            }
        }
    }

    fn count_wrong(
        &mut self,
        distinct: &BTreeMap<SubjectKey, (Channel, u32)>,
        budgets: &mut Budgets,
        cx: &Context<'_>,
        events: &mut Vec<EventKind>,
    ) {
        self.wrong = self.wrong.saturating_add(1);
        events.push(EventKind::GuessRefused { attempts_remaining: self.attempts_remaining() });
        for (key, (channel, guesses)) in distinct.iter().filter(|(_, (_, guesses))| *guesses > 0) {
            if let Some(until) = budgets.entry(*key).or_default().guessed_wrong(cx.budget, *guesses, cx.now) {
                events.push(EventKind::RecipientBlocked { channel: *channel, until });
            }
        }
    }

    /// Completes the session when its mode is satisfied. Tells whether it is complete now.
    fn complete_if_proved(&mut self, cx: &Context<'_>, events: &mut Vec<EventKind>) -> bool {
        let proved = match self.policy.verification_mode {
            VerificationMode::Any => self.challenges.iter().any(|challenge| challenge.verified_at.is_some()),
            VerificationMode::All => self.challenges.iter().all(|challenge| challenge.verified_at.is_some()),
        };
        if proved {
            self.close(End::Verified(cx.now));
            self.release_fee(cx.now);
            events.push(EventKind::SessionVerified { channels: self.verified_channels() });
        }
        proved
    }
}

impl Challenge {
    /// Whether `guess` is one of its codes that still live, from the generation `oldest` on. Every such digest is compared, so the time
    /// tells nothing.
    fn opens_for(&self, session: SessionId, guess: &Guess, oldest: u32, now: Timestamp, keys: &CodeKeys) -> bool {
        !self.opened_by(session, guess, oldest, now, keys).is_empty()
    }

    /// Where the digests of those codes stand.
    fn opened_by(&self, session: SessionId, guess: &Guess, oldest: u32, now: Timestamp, keys: &CodeKeys) -> Vec<usize> {
        let living = self.digests.iter().enumerate().filter(|(_, digest)| digest.expires_at > now && digest.generation >= oldest);
        living.filter(|(_, digest)| keys.matches(session, self.channel, guess, digest)).map(|(place, _)| place).collect()
    }
}
