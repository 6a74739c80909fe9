//! Random sequences of steps, taken by an engine and by `memory`: they must answer and remember the same.

mod names;
mod receipts;

use std::sync::Arc;
use std::time::Duration;

use countersign_model::{
    AllFailed, Attempt, Channel, Limit, LogEntry, Money, Partition, PerChannel, ProviderName, ReceiptPolicy, Reference,
    ResendPolicy, SessionId, VerificationMode,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use proptest::test_runner::{Config, RngSeed, TestRunner};

use self::names::{Codes, Named, called};
use self::receipts::{Heard, heard};
use super::bench::{BUDGET, Bench, MINUTE, REFUSED, UNREACHABLE, WRONG, accepted, code, per_ip, unclear};
use super::step::AnyStep;
use super::{Engine, Setup, runtime};
use crate::code::SubjectKind;
use crate::guess::{Guess, Guesses};
use crate::session::{Billing, Instead};
use crate::store::{
    Advance, Cancel, Claim, Credit, Guard, Lapse, LapseVerdict, MemoryStore, Record, Resend, SessionFilter, SessionStore, Strike,
    Unblock, Verify,
};

/// Sequences that are tried.
const CASES: u32 = 40;
/// The longest of them.
const LONGEST: usize = 60;

/// One thing that happens. Which session it happens to is chosen from those that are there by then.
#[derive(Debug, Clone)]
enum Act {
    Open(Opening),
    Record {
        session: Index,
        outcomes: Vec<(Channel, Attempt)>,
    },
    Guess {
        session: Index,
        guesses: Vec<(Channel, Typed)>,
        spare_budget: bool,
        key: Key,
    },
    GuessUnnamed {
        session: Index,
        guess: Typed,
    },
    Resend {
        session: Index,
        channels: Option<Vec<Channel>>,
        instant: bool,
        key: Key,
    },
    Advance {
        session: Index,
        instant: bool,
        asked: bool,
    },
    /// Something follows a message that did not arrive.
    Instead {
        session: Index,
        instant: bool,
        by: Instead,
    },
    Cancel {
        session: Index,
        key: Key,
    },
    Lapse {
        session: Index,
        gives_up: bool,
    },
    Hear(Heard),
    /// The tenant's next credit, in millionths; or the one before it once more, or one too far.
    Credit {
        amount: i64,
        ahead: i8,
    },
    Cut,
    Strike {
        count: u32,
    },
    Unblock {
        session: Index,
    },
    /// Somebody looks under every name.
    Look,
    Admit,
    SetRevision,
    Revoke,
    /// The last step comes once more.
    Repeat,
    Wait(Duration),
    Sweep,
}

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is one coin that is tossed")]
struct Opening {
    person: u32,
    channels: Vec<Channel>,
    fallback: Vec<Channel>,
    all: bool,
    keep_previous: bool,
    keep_failed: bool,
    unlocks: bool,
    instant: bool,
    /// The verification fee, in millionths; each message costs twice as much.
    fee: Option<i64>,
    names: Named,
    codes: Codes,
    key: Key,
    receipts: ReceiptPolicy,
}

/// An idempotency key and a body, few enough to meet again.
type Key = Option<(u8, u8)>;

#[derive(Debug, Clone)]
enum Typed {
    /// The code that this channel was opened with.
    First(Channel),
    /// The code of the newest send.
    Newest(Channel),
    Wrong,
}

fn channels() -> impl Strategy<Value = Vec<Channel>> {
    subsequence(Channel::ALL.to_vec(), 1..=3)
}

fn key() -> impl Strategy<Value = Key> {
    option::weighted(0.3, (0_u8..3, 0_u8..2))
}

fn typed() -> impl Strategy<Value = Typed> {
    let channel = || select(Channel::ALL.to_vec());
    prop_oneof![2 => channel().prop_map(Typed::First), 2 => channel().prop_map(Typed::Newest), 3 => Just(Typed::Wrong)]
}

fn outcome() -> impl Strategy<Value = Attempt> {
    prop_oneof![4 => Just(accepted()), 1 => Just(unclear()), 2 => Just(UNREACHABLE), 1 => Just(REFUSED)]
}

fn opening() -> impl Strategy<Value = Opening> {
    let rules = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), prop::bool::weighted(0.3));
    let fallback =
        prop_oneof![2 => Just(Vec::new()), 1 => Just(vec![Channel::Voice]), 1 => Just(vec![Channel::Voice, Channel::Sms])];
    let fee = option::of(select(vec![0_i64, 10_000, 250_000]));
    (0_u32..2, channels(), fallback, rules, fee, called(), key(), receipts::policy()).prop_map(
        |(person, channels, fallback, rules, fee, called, key, receipts)| {
            let (all, keep_previous, keep_failed, unlocks, instant) = rules;
            let (names, codes) = called;
            // A code is chosen for one channel only.
            let channels = if matches!(codes, Codes::Minted | Codes::Spoiling) { vec![Channel::Sms] } else { channels };
            // A notice has no fallback.
            let may_fall_back = !all && !matches!(codes, Codes::None);
            let fallback = fallback.into_iter().filter(|channel| may_fall_back && !channels.contains(channel)).collect();
            Opening {
                person,
                channels,
                fallback,
                all,
                keep_previous,
                keep_failed,
                unlocks,
                instant,
                fee,
                names,
                codes,
                key,
                receipts,
            }
        },
    )
}

fn act() -> impl Strategy<Value = Act> {
    let session = any::<Index>;
    let guesses = vec((select(Channel::ALL.to_vec()), typed()), 1..3);
    let outcomes = vec((select(Channel::ALL.to_vec()), outcome()), 1..4);
    let instead = || select(vec![Instead::Provider, Instead::Channel]);
    let spans = [1, 20, 31, 61, 300, 601, 3_601, 86_400, 90_061].map(Duration::from_secs).to_vec();
    prop_oneof![
        6 => opening().prop_map(Act::Open),
        4 => (session(), outcomes).prop_map(|(session, outcomes)| Act::Record { session, outcomes }),
        8 => (session(), guesses, prop::bool::weighted(0.2), key())
            .prop_map(|(session, guesses, spare_budget, key)| Act::Guess { session, guesses, spare_budget, key }),
        2 => (0_u32..3).prop_map(|count| Act::Strike { count }),
        1 => session().prop_map(|session| Act::Unblock { session }),
        1 => Just(Act::Look),
        2 => (session(), typed()).prop_map(|(session, guess)| Act::GuessUnnamed { session, guess }),
        4 => (session(), option::of(channels()), any::<bool>(), key())
            .prop_map(|(session, channels, instant, key)| Act::Resend { session, channels, instant, key }),
        2 => (session(), any::<bool>(), any::<bool>())
            .prop_map(|(session, instant, asked)| Act::Advance { session, instant, asked }),
        1 => (session(), key()).prop_map(|(session, key)| Act::Cancel { session, key }),
        4 => (session(), prop::bool::weighted(0.2)).prop_map(|(session, gives_up)| Act::Lapse { session, gives_up }),
        6 => heard().prop_map(Act::Hear),
        4 => (session(), prop::bool::weighted(0.2), instead())
            .prop_map(|(session, instant, by)| Act::Instead { session, instant, by }),
        3 => (select(vec![1_000_000_i64, 300_000, -200_000]), select(vec![0_i8, 0, 0, -1, 1]))
            .prop_map(|(amount, ahead)| Act::Credit { amount, ahead }),
        1 => Just(Act::Cut),
        1 => Just(Act::Admit),
        1 => prop::bool::weighted(0.1).prop_map(|revoke| if revoke { Act::Revoke } else { Act::SetRevision }),
        3 => Just(Act::Repeat),
        5 => select(spans).prop_map(Act::Wait),
        1 => Just(Act::Sweep),
    ]
}

/// An engine and the oracle, side by side, with the same clock.
struct Pair {
    bench: Bench,
    memory: Arc<dyn SessionStore>,
    /// The sessions that were tried to open, and the claim of the newest send of each.
    sessions: Vec<(SessionId, Option<Claim>)>,
    /// Messages that were, or may have been, made.
    messages: Vec<Reference>,
    /// The number of the newest credit.
    credits: u64,
    /// The newest revision of the tenant's records, and the one that whoever asks knows.
    revisions: (u64, u64),
    /// The next session whose code is minted, and how many of the codes that it may choose from were taken by others.
    spoiled: Option<(SessionId, u32)>,
    last: Option<AnyStep>,
}

pub fn any_sequence_of_steps_ends_as_it_does_in_memory(make: impl AsyncFn(Setup) -> Engine) {
    let runtime = runtime();
    let usual = Config::default();
    // The same in every run, unless PROPTEST_RNG_SEED and PROPTEST_CASES ask for others.
    let is_asked_for = usual.rng_seed != RngSeed::Random;
    let (rng_seed, cases) = if is_asked_for { (usual.rng_seed, usual.cases) } else { (RngSeed::Fixed(1), CASES) };
    let config = Config { cases, rng_seed, failure_persistence: None, ..usual };
    let tried = TestRunner::new(config).run(&vec(act(), 1..LONGEST), |acts| {
        runtime.block_on(async {
            let bench = Bench::new(&make).await;
            let memory = MemoryStore::new(Arc::clone(&bench.keys), Arc::clone(&bench.clock) as _, BUDGET);
            let memory = Arc::new(memory);
            let mut pair = Pair {
                bench,
                memory,
                sessions: Vec::new(),
                messages: Vec::new(),
                credits: 0,
                revisions: (1, 1),
                spoiled: None,
                last: None,
            };
            for act in acts {
                pair.act(act).await;
            }
            pair.compare().await;
        });
        Ok(())
    });
    if let Err(failure) = tried {
        panic!("{failure}");
    }
}

impl Pair {
    async fn act(&mut self, act: Act) {
        let step = match act {
            Act::Wait(span) => return self.bench.clock.advance(span),
            // Only what the engine keeps for nobody may go: the oracle forgets nothing.
            Act::Sweep => return self.bench.store.sweep().await.unwrap(),
            Act::Open(opening) => Some(self.opening(opening)),
            Act::Credit { amount, ahead } => Some(AnyStep::Credit(self.credit(amount, ahead))),
            Act::Cut => Some(AnyStep::Cut(self.bench.scope.tenant)),
            Act::Look => return self.look().await,
            Act::Strike { count } => {
                let (tenant, subject) = (self.bench.scope.tenant, self.bench.subject(SubjectKind::Misses, ""));
                Some(AnyStep::Strike(Strike { tenant, subject, limit: Limit { max: 3, window: MINUTE }, count }))
            }
            Act::Admit => Some(AnyStep::Admit(self.guard())),
            Act::SetRevision => {
                self.revisions.0 += 1;
                Some(AnyStep::SetRevision(self.bench.scope.tenant, self.revisions.0))
            }
            Act::Revoke => Some(AnyStep::Revoke(self.bench.scope.tenant, self.guard().key)),
            Act::Repeat => self.last.clone(),
            Act::Hear(heard) => self.hear(heard),
            other => self.on_session(other).await,
        };
        let Some(step) = step else { return };
        let answered = step.take(&self.bench.store).await.unwrap();
        let expected = step.take(&self.memory).await.unwrap();
        assert_eq!(answered, expected, "{step:#?}");
        let tenant = self.bench.scope.tenant;
        let held = self.bench.store.balance(tenant).await.unwrap();
        assert_eq!(held, self.memory.balance(tenant).await.unwrap(), "{step:#?}");
        assert!(held.available() >= Money::ZERO && held.held >= Money::ZERO, "{held:?} after {step:#?}");
        if answered.answer.contains("Stale") {
            self.revisions.1 = self.revisions.0;
        }
        self.last = Some(step);
    }

    /// Few calls, so that some sequences use them up.
    fn guard(&self) -> Guard {
        let limit = Limit { max: 30, window: MINUTE };
        Guard { revision: self.revisions.1, limit, ..self.bench.guard() }
    }

    /// Now and then nobody asks: the call was counted by another step.
    fn guard_or_none(&self) -> Option<Guard> {
        (self.credits % 4 != 3).then(|| self.guard())
    }

    fn credit(&mut self, amount: i64, ahead: i8) -> Credit {
        let number = (self.credits + 1).saturating_add_signed(ahead.into()).max(1);
        self.credits = self.credits.max(if ahead > 0 { self.credits } else { number });
        Credit { tenant: self.bench.scope.tenant, number, amount: Money::from_micros(amount).unwrap() }
    }

    fn claim(&self, key: Key) -> Option<Claim> {
        key.map(|(key, body)| self.bench.claim(&key.to_string(), &body.to_string()))
    }

    fn opening(&mut self, opening: Opening) -> AnyStep {
        let Opening { person, channels, fallback, all, keep_previous, keep_failed, unlocks, instant, fee, key, .. } = opening;
        let mut open = self.bench.opening_for(person, &channels);
        self.name(&mut open.session, person, opening.names, opening.codes);
        open.claim = self.claim(key);
        open.guard = self.guard();
        open.limits.counts = vec![per_ip(self.bench.subject(SubjectKind::Ip, "192.0.2.1"))];
        open.limits.active_per_user = 3;
        let new = &mut open.session;
        new.fallback = fallback.into_iter().map(|channel| self.bench.planned_for(person, channel, MINUTE)).collect();
        new.add_contact = unlocks;
        new.policy.verification_mode = if all { VerificationMode::All } else { VerificationMode::Any };
        new.policy.resend = if keep_previous { ResendPolicy::KeepPrevious } else { ResendPolicy::Rotate };
        new.policy.all_failed = if keep_failed { AllFailed::Session } else { AllFailed::Error };
        new.policy.resend_unlocks = unlocks;
        new.policy.receipts = opening.receipts;
        let micros = |micros: Option<i64>| Money::from_micros(micros.unwrap_or(0)).unwrap();
        new.billing = fee.map(|fee| Billing { fee: micros(Some(fee)), low_at: Some(micros(Some(400_000))) });
        for planned in &mut new.fallback {
            planned.cost = micros(fee) + micros(fee);
        }
        for challenge in &mut new.challenges {
            challenge.cost = micros(fee) + micros(fee);
            challenge.instant = instant.then(|| ProviderName::new("sandbox"));
        }
        self.sessions.push((new.id, open.claim));
        let (id, messages) = (new.id, new.challenges.iter().map(|challenge| challenge.message).collect::<Vec<_>>());
        self.note(id, messages.into_iter());
        AnyStep::Open(Box::new(open))
    }

    /// A step on a session that is there by now, if there is one.
    async fn on_session(&mut self, act: Act) -> Option<AnyStep> {
        let (Act::Record { session: index, .. }
        | Act::Guess { session: index, .. }
        | Act::GuessUnnamed { session: index, .. }
        | Act::Resend { session: index, .. }
        | Act::Advance { session: index, .. }
        | Act::Cancel { session: index, .. }
        | Act::Instead { session: index, .. }
        | Act::Unblock { session: index }
        | Act::Lapse { session: index, .. }) = &act
        else {
            return None;
        };
        if self.sessions.is_empty() {
            return None;
        }
        let place = index.index(self.sessions.len());
        let (id, sending) = self.sessions[place];
        let bench = &self.bench;
        let session = self.memory.find(bench.scope, id).await.unwrap()?;
        let type_in = |typed: &Typed| match typed {
            Typed::First(channel) => code(*channel).to_owned(),
            Typed::Newest(channel) => bench.new_code(&session, *channel),
            Typed::Wrong => WRONG.to_owned(),
        };
        let provider = |instant: bool| PerChannel::from_fn(|_| instant.then(|| ProviderName::new("sandbox")));
        let step = match act {
            Act::Record { outcomes, .. } => {
                let known = |channel: &Channel| session.challenges().iter().any(|challenge| challenge.channel == *channel);
                let outcomes: Vec<_> = outcomes.into_iter().filter(|(channel, _)| known(channel)).collect();
                AnyStep::Record(Record { claim: sending, ..bench.record_step(&session, &outcomes) })
            }
            Act::Unblock { .. } => AnyStep::Unblock(Unblock { tenant: bench.scope.tenant, subject: session.budgets()[0] }),
            Act::Guess { guesses, spare_budget, key, .. } => {
                let guesses = guesses.iter().map(|(channel, typed)| (*channel, Guess::read(&type_in(typed)).unwrap()));
                let step = bench.verify_with(&session, Guesses::named(guesses));
                AnyStep::Verify(Verify { guard: self.guard_or_none(), spare_budget, claim: self.claim(key), ..step })
            }
            Act::GuessUnnamed { guess, .. } => {
                AnyStep::Verify(bench.verify_with(&session, Guesses::Unnamed(Guess::read(&type_in(&guess)).unwrap())))
            }
            Act::Resend { channels, instant, key, .. } => {
                let claim = self.claim(key);
                let step =
                    Resend { guard: self.guard(), channels, instant: provider(instant), claim, ..bench.resend_step(&session) };
                self.sessions[place].1 = claim;
                AnyStep::Resend(step)
            }
            Act::Advance { instant, asked, .. } => {
                let mut step = bench.advance_step(&session);
                step.guard = asked.then(|| self.guard());
                step.instant = provider(instant);
                AnyStep::Advance(step)
            }
            Act::Instead { instant, by, .. } => {
                let mut step = self.instead(&session, bench.advance_step(&session), by);
                step.instant = provider(instant);
                AnyStep::Advance(step)
            }
            Act::Cancel { key, .. } => {
                AnyStep::Cancel(Cancel { guard: self.guard_or_none(), claim: self.claim(key), ..bench.cancel_step(&session) })
            }
            Act::Lapse { gives_up: true, .. } => AnyStep::Lapse(self.give_up(&session)),
            Act::Lapse { .. } => AnyStep::Lapse(Lapse { scope: bench.scope, session: id, given_up: None }),
            Act::Open(_)
            | Act::Hear(_)
            | Act::Credit { .. }
            | Act::Cut
            | Act::Strike { .. }
            | Act::Look
            | Act::Admit
            | Act::SetRevision
            | Act::Revoke
            | Act::Repeat
            | Act::Wait(_)
            | Act::Sweep => return None,
        };
        if let AnyStep::Resend(Resend { messages, .. }) | AnyStep::Advance(Advance { messages, .. }) = &step {
            let asked: Vec<_> = session.challenges().iter().map(|challenge| *messages.get(challenge.channel)).collect();
            self.note(id, asked.into_iter());
        }
        Some(step)
    }

    /// Both have kept the same and tell it in the same order.
    async fn compare(&self) {
        let (engine, memory, scope) = (&self.bench.store, &self.memory, self.bench.scope);
        for (id, _) in &self.sessions {
            assert_eq!(engine.find(scope, *id).await.unwrap(), memory.find(scope, *id).await.unwrap());
        }
        let everything = SessionFilter::default;
        assert_eq!(engine.list(scope, everything(), 100).await.unwrap(), memory.list(scope, everything(), 100).await.unwrap());
        self.look().await;
        self.settle().await;
        for number in 0..Partition::COUNT {
            let partition = Partition::of(number.into());
            let log = engine.read_log(partition, 0, usize::MAX).await.unwrap().entries;
            assert!(log.is_sorted_by(|one, next| one.sequence < next.sequence));
            let unnumbered = |log: Vec<LogEntry>| -> Vec<LogEntry> {
                log.into_iter().map(|entry| LogEntry { sequence: 0, ..entry }).collect()
            };
            assert_eq!(unnumbered(log), unnumbered(memory.read_log(partition, 0, usize::MAX).await.unwrap().entries));
        }
    }

    /// Whatever has something to do does the same in both, and what was done is not asked for again. An engine may ask too early, and need not
    /// ask for the end of what it drops by itself.
    async fn settle(&self) {
        let (engine, memory) = (&self.bench.store, &self.memory);
        let mut due = engine.due(100).await.unwrap();
        for (scope, session) in memory.due(100).await.unwrap() {
            if !due.contains(&(scope, session)) {
                assert_eq!(memory.find(scope, session).await.unwrap(), None, "it is due and was not asked for");
                due.push((scope, session));
            }
        }
        let mut waiting = Vec::new();
        for (scope, session) in due {
            let lapse = Lapse { scope, session, given_up: None };
            let done = engine.lapse(lapse).await.unwrap();
            assert_eq!(done, memory.lapse(lapse).await.unwrap());
            if done != LapseVerdict::Settled {
                waiting.push((scope, session));
            }
        }
        let mut left = engine.due(100).await.unwrap();
        left.sort_unstable();
        waiting.sort_unstable();
        assert_eq!(left, waiting, "only what nobody started stays due");
    }
}
