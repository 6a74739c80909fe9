//! A session store, a database, and the words in which stories are told to them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use countersign_core::{Metrics, Progress, Projector, Wallets};
use countersign_model::{
    AllFailed, Attempt, Autofill, Channel, Clock, Code, Dialect, EndpointId, KeyId, KeyKind, Limit, LogEntry, ManualClock,
    MessageId, Mode, Money, Partition, PerChannel, Policy, ProviderName, ReceiptPolicy, Recipient, Reference, Report,
    ResendPolicy, Scope, SeededRng, SessionId, StepId, Tenant, TenantId, TenantSettings, Timestamp, VerificationMode,
    WebhookEndpoint, WebhookEvent, WebhookFormat,
};
use countersign_records::{Place, Realm, Records, SessionRecord, StoredSecrets};
use countersign_session::store::{
    Advance, Answer, Guard, Lapse, MemoryStore, Open, OpenVerdict, Receive, ReceiveVerdict, Record, Resend, SendAgainVerdict,
    SendLimits, SessionStore, Verify,
};
use countersign_session::{
    BudgetRule, CodeKeys, CodeSource, Guess, Guesses, Instead, KeyMaterial, Names, NewChallenge, NewSession, PlannedChannel,
    Seed, Session, SubjectKey, SubjectKind, Turn,
};
use countersign_testing::{PostgresDatabase, PostgresServer};
use tempfile::TempDir;

pub(crate) const START: Timestamp = Timestamp::from_millis(1_768_473_900_000);
pub(crate) const CODE: &str = "100001";
pub(crate) const EMAIL: Channel = Channel::Email;
pub(crate) const SMS: Channel = Channel::Sms;

/// A database that nobody else uses.
pub(crate) enum Base {
    File(TempDir),
    Postgres(PostgresDatabase),
}

impl Base {
    pub(crate) fn file() -> Self {
        Self::File(TempDir::new().unwrap())
    }

    pub(crate) fn postgres() -> Self {
        Self::Postgres(PostgresServer::shared().database())
    }

    async fn open(&self) -> Records {
        let place = match self {
            Self::File(folder) => Place::File(folder.path().join("records.db")),
            Self::Postgres(database) => Place::Url(database.url().into()),
        };
        let records = Records::open(place).await.unwrap();
        records.migrate().await.unwrap();
        records
    }
}

/// Tells each story twice.
macro_rules! on_both {
    ($(async fn $name:ident($bench:ident: Bench) $story:block)*) => {
        $(mod $name {
            use super::*;
            use crate::bench::Base;

            async fn story($bench: Bench) $story

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn in_a_file() {
                story(Bench::on(Base::file()).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn in_postgresql() {
                story(Bench::on(Base::postgres()).await).await;
            }
        })*
    };
}
pub(crate) use on_both;

pub(crate) struct Bench {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) records: Records,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) rng: Arc<SeededRng>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) tenant: TenantId,
    own: Projector,
    keys: Arc<CodeKeys>,
    people: AtomicU32,
    _base: Base,
}

pub(crate) fn money(text: &str) -> Money {
    text.parse().unwrap()
}

pub(crate) fn accepted() -> Attempt {
    Attempt::Accepted { provider: ProviderName::new("house"), provider_id: Some("7".into()) }
}

impl Bench {
    pub(crate) async fn on(base: Base) -> Self {
        let records = base.open().await;
        let rng = Arc::new(SeededRng::new(7));
        let clock = Arc::new(ManualClock::new(START));
        let keys = Arc::new(CodeKeys::open(&KeyMaterial::generate(&*rng, START)).unwrap());
        let budget = BudgetRule { wrong: Limit { max: 20, window: Duration::from_hours(24) }, block_after: 100 };
        let timed: Arc<dyn Clock> = clock.clone();
        let store = Arc::new(MemoryStore::new(Arc::clone(&keys), timed, budget));
        let tenant = Tenant {
            id: TenantId::mint(START, &*rng, Partition::of(5)),
            name: "ann".to_owned(),
            email: Some("ann@example.com".to_owned()),
            plan: "standard".to_owned(),
            settings: TenantSettings::default(),
            revision: 1,
            created_at: START,
        };
        records.tenants().insert(&tenant).await.unwrap();
        let metrics = Arc::new(Metrics::default());
        let own = Projector::new(store.clone(), records.clone(), clock.clone(), rng.clone(), Arc::clone(&metrics), "USD");
        Self { store, records, clock, rng, metrics, tenant: tenant.id, own, keys, people: AtomicU32::new(0), _base: base }
    }

    pub(crate) fn scope(&self) -> Scope {
        Scope { tenant: self.tenant, keys: KeyKind::Live }
    }

    pub(crate) fn realm(&self) -> Realm {
        Realm { scope: self.scope(), mode: Mode::Live }
    }

    /// Another node's.
    pub(crate) fn projector(&self) -> Projector {
        self.projector_over(self.store.clone())
    }

    pub(crate) fn projector_over(&self, store: Arc<dyn SessionStore>) -> Projector {
        let (clock, rng) = (self.clock.clone(), self.rng.clone());
        Projector::new(store, self.records.clone(), clock, rng, Arc::clone(&self.metrics), "USD")
    }

    pub(crate) fn wallets(&self) -> Wallets {
        let (store, clock, rng) = (self.store.clone(), self.clock.clone(), self.rng.clone());
        Wallets::new(store, self.records.clone(), clock, rng, Arc::clone(&self.metrics))
    }

    /// Reads the whole log.
    pub(crate) async fn project(&self) -> Progress {
        read_all(&self.own).await
    }

    pub(crate) async fn log(&self) -> Vec<LogEntry> {
        self.store.read_log(self.tenant.partition(), 0, usize::MAX).await.unwrap().entries
    }

    pub(crate) async fn recorded(&self, session: SessionId) -> SessionRecord {
        self.records.sessions().find(self.scope(), session).await.unwrap().unwrap()
    }

    fn step(&self) -> StepId {
        StepId::mint(self.clock.now(), &*self.rng, self.tenant.partition())
    }

    fn message(&self) -> MessageId {
        MessageId::mint(self.clock.now(), &*self.rng, self.tenant.partition())
    }

    fn subject(&self, kind: SubjectKind, name: &str) -> SubjectKey {
        self.keys.subject(self.tenant, Mode::Live, kind, "verification", name)
    }

    fn guard(&self) -> Guard {
        Guard {
            tenant: self.tenant,
            keys: KeyKind::Live,
            key: KeyId::from_bits(7),
            revision: 1,
            calls: self.subject(SubjectKind::Key, "key 7"),
            limit: Limit { max: 1_000_000, window: Duration::from_mins(1) },
        }
    }

    fn limits() -> SendLimits {
        SendLimits { counts: Vec::new(), per_user: Limit { max: 1000, window: Duration::from_mins(5) }, active_per_user: 1000 }
    }

    fn person(&self, channel: Channel, person: u32) -> (Recipient, SubjectKey) {
        let address = match channel {
            Channel::Email => format!("user{person}@example.com"),
            Channel::Sms | Channel::Whatsapp | Channel::Voice => format!("+1202555{person:04}"),
        };
        (Recipient::parse(channel, &address).unwrap(), self.subject(SubjectKind::Budget, &address))
    }

    /// Opens a session of somebody new, whose code is [`CODE`] on every channel.
    pub(crate) async fn open(&self, channels: &[Channel], with: impl FnOnce(&mut NewSession)) -> Session {
        let person = self.people.fetch_add(1, Ordering::Relaxed);
        let challenge = |channel: &Channel| {
            let (recipient, budget) = self.person(*channel, person);
            NewChallenge { channel: *channel, recipient, message: self.message(), budget, cost: Money::ZERO, instant: None }
        };
        let codes: BTreeMap<Channel, Code> = Channel::ALL.map(|channel| (channel, Code::parse(CODE).unwrap())).into();
        let mut session = NewSession {
            id: SessionId::mint(self.clock.now(), &*self.rng, self.tenant.partition()),
            scope: self.scope(),
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
            challenges: channels.iter().map(challenge).collect(),
            fallback: Vec::new(),
            users: vec![self.subject(SubjectKind::User, &format!("user {person}"))],
            codes: CodeSource::Given(codes),
            lease: Duration::from_mins(1),
            billing: None,
            names: Names::default(),
        };
        with(&mut session);
        let open = Open { guard: self.guard(), session, limits: Self::limits(), claim: None };
        match self.store.open(open).await.unwrap().answer {
            Answer::Fresh(OpenVerdict::Opened(session)) => *session,
            other => panic!("{other:?}"),
        }
    }

    /// A channel of the same person that waits for its turn.
    pub(crate) fn planned(&self, channel: Channel) -> PlannedChannel {
        let (recipient, budget) = self.person(channel, 999);
        let after = Duration::from_secs(30);
        PlannedChannel { channel, recipient, budget, cost: Money::ZERO, after, at: START }
    }

    pub(crate) async fn record(&self, session: &Session, outcomes: &[(Channel, Attempt)]) {
        // What cannot be found has messages of its opening only.
        let session = self.store.find(self.scope(), session.id()).await.unwrap().unwrap_or_else(|| session.clone());
        let outcome = |(channel, attempt): &(Channel, Attempt)| {
            let challenge = session.challenges().iter().find(|challenge| challenge.channel == *channel).unwrap();
            (challenge.message.id, *channel, attempt.clone())
        };
        let outcomes = outcomes.iter().map(outcome).collect();
        let step = self.step();
        let record = Record { scope: self.scope(), session: session.id(), step, outcomes, claim: None, channels: Vec::new() };
        self.store.record(record).await.unwrap();
    }

    /// A session on one channel whose message was accepted.
    pub(crate) async fn sent(&self) -> Session {
        let session = self.open(&[EMAIL], |_| {}).await;
        self.record(&session, &[(EMAIL, accepted())]).await;
        session
    }

    pub(crate) async fn guess(&self, session: &Session, channel: Channel, guess: &str) {
        let guesses = Guesses::named([(channel, Guess::read(guess).unwrap())]);
        let (guard, budgets, step) = (Some(self.guard()), session.budgets(), self.step());
        let verify = Verify {
            guard,
            scope: self.scope(),
            session: session.id(),
            step,
            budgets,
            guesses,
            spare_budget: false,
            claim: None,
        };
        self.store.verify(verify).await.unwrap();
    }

    pub(crate) async fn resend(&self, session: &Session) {
        self.clock.advance(POLICY.resend_after);
        let resend = Resend {
            guard: self.guard(),
            scope: self.scope(),
            session: session.id(),
            step: self.step(),
            channels: None,
            seed: Seed::random(&*self.rng),
            messages: PerChannel::from_fn(|_| self.message()),
            instant: PerChannel::from_fn(|_| None),
            lease: Duration::from_mins(1),
            limits: Self::limits(),
            claim: None,
        };
        self.store.resend(resend).await.unwrap();
    }

    /// A receipt for the newest message of a channel, from the provider of the bench.
    pub(crate) async fn receive(&self, session: &Session, channel: Channel, report: Report, carrier: Option<&str>) {
        let session = self.store.find(self.scope(), session.id()).await.unwrap().unwrap();
        let message = session.challenges().iter().find(|challenge| challenge.channel == channel).unwrap().message.id;
        let reference = Reference { scope: session.scope(), session: session.id(), message };
        let at = Some(self.clock.now().minus(Duration::from_secs(2)));
        let (through, carrier) = (ProviderName::new("house"), carrier.map(str::to_owned));
        let verdict = self.store.receive(Receive { reference, through, report, at, carrier }).await.unwrap();
        assert!(matches!(verdict, ReceiveVerdict::Changed(_)), "{verdict:?}");
    }

    /// One more message in place of the newest of the first channel, whose receipt is bad.
    pub(crate) async fn retry(&self, session: &Session) {
        let advance = Advance {
            guard: None,
            scope: self.scope(),
            session: session.id(),
            step: self.step(),
            turn: Turn::Instead { of: session.challenges()[0].message.id, by: Instead::Provider },
            seed: Seed::random(&*self.rng),
            messages: PerChannel::from_fn(|_| self.message()),
            instant: PerChannel::from_fn(|_| None),
            lease: Duration::from_mins(1),
        };
        let heard = self.store.advance(advance).await.unwrap();
        assert!(matches!(heard.answer, Answer::Fresh(SendAgainVerdict::Sent(..))), "{heard:?}");
    }

    pub(crate) async fn lapse(&self, session: &Session) {
        self.store.lapse(Lapse { scope: self.scope(), session: session.id(), given_up: None }).await.unwrap();
    }

    pub(crate) async fn endpoint(&self, url: &str, events: &[WebhookEvent]) -> WebhookEndpoint {
        self.endpoint_in(WebhookFormat::Native, url, events).await
    }

    pub(crate) async fn endpoint_in(&self, format: WebhookFormat, url: &str, events: &[WebhookEvent]) -> WebhookEndpoint {
        self.endpoint_of(self.tenant, format, url, events).await
    }

    pub(crate) async fn endpoint_of(
        &self,
        tenant: TenantId,
        format: WebhookFormat,
        url: &str,
        events: &[WebhookEvent],
    ) -> WebhookEndpoint {
        let endpoint = WebhookEndpoint {
            id: EndpointId::mint(self.clock.now(), &*self.rng, tenant.partition()),
            tenant,
            url: url.to_owned(),
            format,
            description: String::new(),
            events: events.to_vec(),
            keys: None,
            disabled: None,
            created_at: self.clock.now(),
            updated_at: None,
        };
        let secrets = StoredSecrets { current: SECRET.into(), previous: None };
        self.records.webhook_endpoints().insert(&endpoint, &secrets).await.unwrap();
        endpoint
    }

    /// Somebody else who has an account.
    pub(crate) async fn other_tenant(&self, name: &str) -> TenantId {
        let tenant = Tenant {
            id: TenantId::mint(START, &*self.rng, Partition::of(6)),
            name: name.to_owned(),
            email: None,
            plan: "standard".to_owned(),
            settings: TenantSettings::default(),
            revision: 1,
            created_at: START,
        };
        self.records.tenants().insert(&tenant).await.unwrap();
        tenant.id
    }

    /// A number as the metrics page has it, without its labels.
    pub(crate) fn metric(&self, line: &str) -> String {
        let page = self.metrics.render();
        let found = page.lines().find_map(|it| it.strip_prefix(line)?.strip_prefix(' '));
        found.unwrap_or_else(|| panic!("no {line} in\n{page}")).to_owned()
    }
}

/// 24 bytes in base64.
pub(crate) const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

pub(crate) async fn read_all(projector: &Projector) -> Progress {
    let mut sum = Progress::default();
    loop {
        let Progress { taken, known, set_aside, more } = projector.round().await.unwrap();
        sum = Progress { taken: sum.taken + taken, known: sum.known + known, set_aside: sum.set_aside + set_aside, more: false };
        if !more {
            return sum;
        }
    }
}

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
