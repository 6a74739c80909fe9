//! A store under test and the words in which sentences speak to it.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use countersign_model::{
    Aggregate, AllFailed, Attempt, Autofill, Channel, Clock, Code, Dialect, EventKind, FailureReason, KeyId, KeyKind, Limit,
    LimitName, LogEntry, ManualClock, MessageId, Mode, Money, Partition, PerChannel, Policy, ProviderName, ReceiptPolicy,
    Recipient, ResendPolicy, Scope, SeededRng, SessionId, StepId, TenantId, Timestamp, VerificationMode,
};

use super::{Engine, Setup, Strike};
use crate::code::{CodeKeys, CodeSource, Fingerprint, Seed, SubjectKey, SubjectKind};
use crate::guess::{Guess, Guesses};
use crate::keys::KeyMaterial;
use crate::session::{Delivery, Judgement, Names, NewChallenge, NewSession, PlannedChannel, Session, Turn};
use crate::store::{
    Advance, Answer, Cancel, CancelVerdict, Claim, Count, Credit, CreditVerdict, Guard, Heard, Lapse, LapseVerdict, Open,
    OpenVerdict, Record, RecordVerdict, Resend, SendAgainVerdict, SendLimits, SessionStore, Verify, VerifyVerdict,
};
use crate::subject::BudgetRule;

/// A guess that is never right.
pub(crate) const WRONG: &str = "999999";
/// How long handing over may take.
pub(crate) const LEASE: Duration = Duration::from_mins(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_mins(1);
pub(crate) const DAY: Duration = Duration::from_hours(24);
/// The rule under test: that of the product.
pub(crate) const BUDGET: BudgetRule = BudgetRule { wrong: Limit { max: 20, window: DAY }, block_after: 100 };

/// One store, its clock, and whatever a story needs to be told.
pub struct Bench {
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) strike: Arc<Strike>,
    pub(crate) dump: Option<Box<dyn Fn() -> String + Send + Sync>>,
    pub(crate) keys: Arc<CodeKeys>,
    pub(crate) scope: Scope,
    seed: Seed,
    pub(crate) rng: SeededRng,
    people: AtomicU32,
    _keep: Box<dyn Any + Send + Sync>,
}

/// The code that a session of the bench is opened with.
pub(crate) const fn code(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "100001",
        Channel::Sms => "200002",
        Channel::Whatsapp => "300003",
        Channel::Voice => "400004",
    }
}

pub(crate) fn accepted() -> Attempt {
    Attempt::Accepted { provider: ProviderName::new("house"), provider_id: Some("7".into()) }
}

pub(crate) const fn unclear() -> Attempt {
    Attempt::Unclear { provider: None }
}

pub(crate) const UNREACHABLE: Attempt = Attempt::Failed(FailureReason::Unreachable);
pub(crate) const REFUSED: Attempt = Attempt::Failed(FailureReason::Refused);

/// The inside of an answer that was given now.
#[track_caller]
pub(crate) fn fresh<V: Debug>(heard: Heard<V>) -> V {
    match heard.answer {
        Answer::Fresh(verdict) => verdict,
        other => panic!("not a fresh answer: {other:?}"),
    }
}

/// Takes the parts out of a verdict, or says what came instead.
macro_rules! expect_verdict {
    ($verdict:expr, $pattern:pat => $value:expr) => {
        match $verdict {
            $pattern => $value,
            other => panic!("expected {}, got {other:?}", stringify!($pattern)),
        }
    };
}
pub(crate) use expect_verdict;

impl Bench {
    /// A bench with an engine of its own.
    pub(crate) async fn new(make: &impl AsyncFn(Setup) -> Engine) -> Self {
        let rng = SeededRng::new(7);
        let start = Timestamp::from_millis(1_768_473_900_000);
        let clock = Arc::new(ManualClock::new(start));
        let keys = Arc::new(CodeKeys::open(&KeyMaterial::generate(&rng, start)).unwrap());
        let strike = Arc::new(Strike::default());
        let setup = Setup { keys: Arc::clone(&keys), clock: Arc::clone(&clock), budget: BUDGET, strike: Arc::clone(&strike) };
        let engine = make(setup).await;
        let tenant = TenantId::mint(start, &rng, Partition::of(5));
        Self {
            store: engine.store,
            clock,
            strike,
            dump: engine.dump,
            keys,
            scope: Scope { tenant, keys: KeyKind::Live },
            seed: Seed::random(&rng),
            rng,
            people: AtomicU32::new(0),
            _keep: engine.keep,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn step(&self) -> StepId {
        StepId::mint(self.now(), &self.rng, self.scope.tenant.partition())
    }

    fn message(&self) -> MessageId {
        MessageId::mint(self.now(), &self.rng, self.scope.tenant.partition())
    }

    fn messages(&self) -> PerChannel<MessageId> {
        PerChannel::from_fn(|_| self.message())
    }

    /// The key of whoever asks, with more calls than any sentence makes.
    pub(crate) fn guard(&self) -> Guard {
        Guard {
            tenant: self.scope.tenant,
            keys: self.scope.keys,
            key: KeyId::from_bits(7),
            revision: 1,
            calls: self.subject(SubjectKind::Key, "key 7"),
            limit: Limit { max: 1_000_000, window: MINUTE },
        }
    }

    /// Puts money into the tenant's balance.
    pub(crate) async fn credit(&self, number: u64, amount: &str) -> CreditVerdict {
        let (tenant, amount) = (self.scope.tenant, amount.parse().unwrap());
        self.store.credit(Credit { tenant, number, amount }).await.unwrap()
    }

    /// The tenant's balance and what of it is held, in words.
    pub(crate) async fn balance(&self) -> (String, String) {
        let balance = self.store.balance(self.scope.tenant).await.unwrap();
        (balance.balance.to_string(), balance.held.to_string())
    }

    /// Where something of that name is counted.
    pub(crate) fn subject(&self, kind: SubjectKind, name: &str) -> SubjectKey {
        self.keys.subject(self.scope.tenant, Mode::Live, kind, "verification", name)
    }

    pub(crate) fn claim(&self, key: &str, body: &str) -> Claim {
        let print = |text: &str| -> Fingerprint { self.keys.fingerprint(&[text.as_bytes()]) };
        Claim { key: print(key), body: print(body), lease: LEASE }
    }

    /// A session of somebody new, in any mode, with a code for each channel.
    pub(crate) fn opening(&self, channels: &[Channel]) -> Open {
        self.opening_for(self.people.fetch_add(1, Ordering::Relaxed), channels)
    }

    /// The same of a certain person.
    pub(crate) fn opening_for(&self, person: u32, channels: &[Channel]) -> Open {
        let challenges: Vec<NewChallenge> = channels.iter().map(|channel| self.challenge(*channel, person)).collect();
        let codes: BTreeMap<Channel, Code> =
            channels.iter().map(|channel| (*channel, Code::parse(code(*channel)).unwrap())).collect();
        Open {
            guard: self.guard(),
            session: NewSession {
                id: SessionId::mint(self.now(), &self.rng, self.scope.tenant.partition()),
                scope: self.scope,
                mode: Mode::Live,
                dialect: Dialect::Native,
                service: None,
                purpose: "verification".into(),
                app_name: "Countersign".into(),
                locale: "en".into(),
                template: None,
                sender: None,
                autofill: Autofill::default(),
                metadata: "{\"order\":17}".into(),
                add_contact: false,
                contact_locale: None,
                policy: POLICY,
                challenges,
                fallback: Vec::new(),
                users: vec![self.subject(SubjectKind::User, &format!("user {person}"))],
                codes: CodeSource::Given(codes),
                lease: LEASE,
                billing: None,
                names: Names::default(),
            },
            limits: limits(),
            claim: None,
        }
    }

    fn challenge(&self, channel: Channel, person: u32) -> NewChallenge {
        let (recipient, budget) = self.person(channel, person);
        NewChallenge { channel, recipient, message: self.message(), budget, cost: Money::ZERO, instant: None }
    }

    fn person(&self, channel: Channel, person: u32) -> (Recipient, SubjectKey) {
        let address = match channel {
            Channel::Email => format!("user{person}@example.com"),
            Channel::Sms | Channel::Whatsapp | Channel::Voice => format!("+1202{:07}", person * 4 + u32::from(channel.tag() - 1)),
        };
        let recipient = Recipient::parse(channel, &address).unwrap();
        (recipient, self.subject(SubjectKind::Budget, &address))
    }

    /// A channel of somebody new that waits for its turn.
    pub(crate) fn planned(&self, channel: Channel, after: Duration) -> PlannedChannel {
        self.planned_for(self.people.fetch_add(1, Ordering::Relaxed), channel, after)
    }

    /// The same of a certain person.
    pub(crate) fn planned_for(&self, person: u32, channel: Channel, after: Duration) -> PlannedChannel {
        let (recipient, budget) = self.person(channel, person);
        PlannedChannel { channel, recipient, budget, cost: Money::ZERO, after, at: Timestamp::from_millis(0) }
    }

    pub(crate) async fn try_open(&self, open: Open) -> OpenVerdict {
        fresh(self.store.open(open).await.unwrap())
    }

    pub(crate) async fn open(&self, open: Open) -> Session {
        expect_verdict!(self.try_open(open).await, OpenVerdict::Opened(session) => *session)
    }

    /// A session on these channels whose messages were all accepted.
    pub(crate) async fn sent(&self, channels: &[Channel]) -> Session {
        let session = self.open(self.opening(channels)).await;
        self.accept(&session).await
    }

    pub(crate) fn record_step(&self, session: &Session, outcomes: &[(Channel, Attempt)]) -> Record {
        let outcome = |(channel, attempt): &(Channel, Attempt)| {
            let challenge = session.challenges().iter().find(|challenge| challenge.channel == *channel).unwrap();
            (challenge.message.id, *channel, attempt.clone())
        };
        let outcomes = outcomes.iter().map(outcome).collect();
        Record { scope: self.scope, session: session.id(), step: self.step(), outcomes, claim: None, channels: Vec::new() }
    }

    pub(crate) async fn record(&self, session: &Session, outcomes: &[(Channel, Attempt)]) -> (Session, Delivery) {
        let verdict = self.store.record(self.record_step(session, outcomes)).await.unwrap();
        expect_verdict!(verdict, RecordVerdict::Recorded(session, delivery) => (*session, delivery))
    }

    /// Every message that is under way is accepted.
    pub(crate) async fn accept(&self, session: &Session) -> Session {
        let sending = session.challenges().iter().filter(|challenge| challenge.message.attempt == Attempt::Sending);
        let outcomes: Vec<_> = sending.map(|challenge| (challenge.channel, accepted())).collect();
        self.record(session, &outcomes).await.0
    }

    pub(crate) fn verify_step(&self, session: &Session, guesses: &[(Channel, &str)]) -> Verify {
        let guesses = guesses.iter().map(|(channel, text)| (*channel, Guess::read(text).unwrap()));
        self.verify_with(session, Guesses::named(guesses))
    }

    pub(crate) fn verify_with(&self, session: &Session, guesses: Guesses) -> Verify {
        let (guard, budgets) = (Some(self.guard()), session.budgets());
        Verify {
            guard,
            scope: self.scope,
            session: session.id(),
            step: self.step(),
            budgets,
            guesses,
            spare_budget: false,
            claim: None,
        }
    }

    pub(crate) async fn guess(&self, session: &Session, guesses: &[(Channel, &str)]) -> VerifyVerdict {
        fresh(self.store.verify(self.verify_step(session, guesses)).await.unwrap())
    }

    pub(crate) async fn guess_unnamed(&self, session: &Session, text: &str) -> VerifyVerdict {
        let step = self.verify_with(session, Guesses::Unnamed(Guess::read(text).unwrap()));
        fresh(self.store.verify(step).await.unwrap())
    }

    /// Guesses that are heard.
    pub(crate) async fn judged(&self, session: &Session, guesses: &[(Channel, &str)]) -> Judgement {
        expect_verdict!(self.guess(session, guesses).await, VerifyVerdict::Judged(_, judgement, _) => judgement)
    }

    pub(crate) fn resend_step(&self, session: &Session) -> Resend {
        Resend {
            guard: self.guard(),
            scope: self.scope,
            session: session.id(),
            step: self.step(),
            channels: None,
            seed: self.seed.clone(),
            messages: self.messages(),
            instant: PerChannel::from_fn(|_| None),
            lease: LEASE,
            limits: limits(),
            claim: None,
        }
    }

    pub(crate) async fn try_resend(&self, step: Resend) -> SendAgainVerdict {
        fresh(self.store.resend(step).await.unwrap())
    }

    /// A resend of everything that is not proved, half a minute later.
    pub(crate) async fn resent(&self, session: &Session) -> Session {
        self.clock.advance(POLICY.resend_after);
        let verdict = self.try_resend(self.resend_step(session)).await;
        expect_verdict!(verdict, SendAgainVerdict::Sent(session, _) => *session)
    }

    /// Codes of the bench's own minting.
    pub(crate) fn minted(&self) -> CodeSource {
        CodeSource::Seed(self.seed.clone())
    }

    /// The code that the newest send of `session` made for `channel`.
    pub(crate) fn new_code(&self, session: &Session, channel: Channel) -> String {
        let policy = session.policy();
        let made = self.minted().code(session.id(), channel, policy.shared_code, session.generation(), policy.code_length);
        made.unwrap().expose().to_owned()
    }

    pub(crate) fn advance_step(&self, session: &Session) -> Advance {
        Advance {
            guard: None,
            scope: self.scope,
            session: session.id(),
            step: self.step(),
            turn: Turn::Next,
            seed: self.seed.clone(),
            messages: self.messages(),
            instant: PerChannel::from_fn(|_| None),
            lease: LEASE,
        }
    }

    pub(crate) fn cancel_step(&self, session: &Session) -> Cancel {
        Cancel { guard: Some(self.guard()), scope: self.scope, session: session.id(), step: self.step(), claim: None }
    }

    pub(crate) async fn cancel(&self, session: &Session) -> CancelVerdict {
        fresh(self.store.cancel(self.cancel_step(session)).await.unwrap())
    }

    pub(crate) async fn lapse(&self, session: &Session) -> LapseVerdict {
        self.store.lapse(Lapse { scope: self.scope, session: session.id(), given_up: None }).await.unwrap()
    }

    pub(crate) async fn find(&self, session: &Session) -> Session {
        self.store.find(self.scope, session.id()).await.unwrap().unwrap()
    }

    /// All of the log, partition by partition.
    pub(crate) async fn log(&self) -> Vec<LogEntry> {
        let mut log = Vec::new();
        for number in 0..Partition::COUNT {
            log.extend(self.store.read_log(Partition::of(number.into()), 0, usize::MAX).await.unwrap().entries);
        }
        log
    }

    /// What the log tells of a session. Its numbers have no gaps.
    pub(crate) async fn story(&self, session: &Session) -> Vec<EventKind> {
        let mut events = Vec::new();
        for entry in self.log().await.into_iter().filter(|entry| entry.of == Aggregate::Session(session.id())) {
            assert_eq!((entry.scope, entry.partition), (self.scope, session.id().partition()));
            assert!(!entry.events.is_empty());
            events.extend(entry.events);
        }
        for (at, event) in events.iter().enumerate() {
            assert_eq!(event.number as usize, at + 1, "{events:?}");
        }
        events.into_iter().map(|event| event.kind).collect()
    }

    /// The names of what the log tells of a session.
    pub(crate) async fn names(&self, session: &Session) -> Vec<&'static str> {
        self.story(session).await.iter().map(EventKind::name).collect()
    }
}

/// The rules of the product's own sends.
pub(crate) const POLICY: Policy = Policy {
    code_length: 6,
    life: Duration::from_mins(10),
    max_attempts: 3,
    verification_mode: VerificationMode::Any,
    shared_code: false,
    resend_after: Duration::from_secs(30),
    resend: ResendPolicy::Rotate,
    resend_unlocks: true,
    all_failed: AllFailed::Error,
    receipts: ReceiptPolicy::DEFAULT,
};

pub(crate) fn limits() -> SendLimits {
    SendLimits { counts: Vec::<Count>::new(), per_user: Limit { max: 5, window: Duration::from_mins(5) }, active_per_user: 100 }
}

/// A count of sends by the address that asked for them.
pub(crate) const fn per_ip(subject: SubjectKey) -> Count {
    Count { subject, name: LimitName::SendsPerIp, limit: Limit { max: 20, window: Duration::from_hours(1) } }
}
