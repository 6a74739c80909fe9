//! How many opens and verifies a second the embedded store takes by itself: `cargo run --release --example throughput -p countersign-session`.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program that measures, for a terminal")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use countersign_model::{
    AllFailed, Autofill, Channel, Code, Dialect, KeyKind, Limit, LimitName, MessageId, Mode, OsRng, Partition, Policy,
    ProviderName, Recipient, ResendPolicy, Scope, SessionId, StepId, SystemClock, TenantId, Timestamp, VerificationMode,
};
use countersign_session::store::{
    Answer, Count, Open, OpenVerdict, SendLimits, SessionStore, SqliteOptions, SqliteStore, Verify, VerifyVerdict,
};
use countersign_session::{BudgetRule, CodeKeys, CodeSource, Guess, Guesses, KeyMaterial, NewChallenge, NewSession, SubjectKind};

const TASKS: u64 = 64;
static LAT: std::sync::Mutex<Vec<u32>> = std::sync::Mutex::new(Vec::new());

fn main() {
    let per_task: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(2000);
    let directory = std::env::args().nth(2).unwrap_or_else(|| "/tmp/throughput".into());
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    let now = Timestamp::from_millis(1_700_000_000_000);
    let keys = Arc::new(CodeKeys::open(&KeyMaterial::generate(&OsRng, now)).unwrap());
    let day = Duration::from_hours(24);
    let budget = BudgetRule { wrong: Limit { max: 20, window: day }, block_after: 100 };
    let options = SqliteOptions { path: format!("{directory}/hot.db").into() };
    let store = Arc::new(SqliteStore::open(options, Arc::clone(&keys), Arc::new(SystemClock), budget).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let tenant = TenantId::mint(now, &OsRng, Partition::of(3));
    let scope = Scope { tenant, keys: KeyKind::Test };
    for round in 0..3 {
        let users = Arc::new(AtomicU64::new(round * 10_000_000));
        let started = Instant::now();
        let cpu = cpu_time();
        let ids: Vec<Vec<SessionId>> = runtime.block_on(async {
            let tasks: Vec<_> = (0..TASKS)
                .map(|_| {
                    let (store, keys, users) = (Arc::clone(&store), Arc::clone(&keys), Arc::clone(&users));
                    tokio::spawn(async move {
                        let mut ids = Vec::new();
                        for _ in 0..per_task {
                            let open = opening(&keys, scope, users.fetch_add(1, Ordering::Relaxed));
                            let id = open.session.id;
                            let t = Instant::now();
                            let answer = store.open(open).await.unwrap();
                            LAT.lock().unwrap().push(t.elapsed().as_micros() as u32);
                            let Answer::Fresh(OpenVerdict::Opened(_)) = answer else { panic!("refused") };
                            ids.push(id);
                        }
                        ids
                    })
                })
                .collect();
            let mut ids = Vec::new();
            for task in tasks {
                ids.push(task.await.unwrap());
            }
            ids
        });
        report("open", per_task, started, cpu);
        {
            let mut l = LAT.lock().unwrap();
            l.sort_unstable();
            println!(
                "  p50 {} p99 {} p999 {} max {}",
                l[l.len() / 2],
                l[l.len() * 99 / 100],
                l[l.len() * 999 / 1000],
                l[l.len() - 1]
            );
            l.clear();
        }
        let started = Instant::now();
        let cpu = cpu_time();
        runtime.block_on(async {
            let tasks: Vec<_> = ids
                .into_iter()
                .map(|ids| {
                    let store = Arc::clone(&store);
                    tokio::spawn(async move {
                        for session in ids {
                            let step = StepId::mint(Timestamp::from_millis(0), &OsRng, Partition::of(3));
                            let guesses = Guesses::named([(Channel::Email, Guess::read("482913").unwrap())]);
                            let verify = Verify { scope, session, step, guesses, claim: None };
                            let Answer::Fresh(VerifyVerdict::Judged(_, judgement)) = store.verify(verify).await.unwrap() else {
                                panic!("refused")
                            };
                            assert!(judgement.verified);
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
        report("verify", per_task, started, cpu);
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", status.lines().find(|line| line.starts_with("VmRSS")).unwrap());
    drop(store);
    for file in std::fs::read_dir(&directory).unwrap() {
        let file = file.unwrap();
        println!("{} {}", file.file_name().display(), file.metadata().unwrap().len());
    }
}

/// CPU ticks of the whole process and of the writer thread.
fn cpu_time() -> (u64, u64) {
    let ticks = |path: &std::path::Path| -> u64 {
        let stat = std::fs::read_to_string(path).unwrap();
        let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let mut writer = 0;
    for thread in std::fs::read_dir("/proc/self/task").unwrap() {
        let path = thread.unwrap().path();
        if std::fs::read_to_string(path.join("comm")).unwrap().starts_with("session-writer") {
            writer = ticks(&path.join("stat"));
        }
    }
    (ticks(std::path::Path::new("/proc/self/stat")), writer)
}

fn report(what: &str, per_task: u64, started: Instant, before: (u64, u64)) {
    let (spent, after) = (started.elapsed(), cpu_time());
    let steps = per_task * TASKS;
    let micros = |ticks: u64| ticks * 10_000 / steps;
    println!(
        "{what:7} {:6}/s  writer {} us, whole process {} us of CPU a step",
        u128::from(steps) * 1_000_000 / spent.as_micros(),
        micros(after.1 - before.1),
        micros(after.0 - before.0)
    );
}

fn opening(keys: &CodeKeys, scope: Scope, user: u64) -> Open {
    let clock: &dyn countersign_model::Clock = &SystemClock;
    let partition = scope.tenant.partition();
    let address = format!("user{user}@example.com");
    let minute = Duration::from_mins(1);
    let key = |kind, value: &str| keys.subject(scope.tenant, Mode::Sandbox, kind, "verification", value);
    let (budget, subject) = (key(SubjectKind::Budget, &address), key(SubjectKind::Address, &address));
    let ip = key(SubjectKind::Ip, &format!("10.{}.{}.{}", user >> 16 & 255, user >> 8 & 255, user & 255));
    let policy = Policy {
        code_length: 6,
        life: minute * 10,
        max_attempts: 3,
        verification_mode: VerificationMode::Any,
        shared_code: false,
        resend_after: minute / 2,
        resend: ResendPolicy::Rotate,
        resend_unlocks: true,
        all_failed: AllFailed::Error,
    };
    let _ = ip;
    Open {
        session: NewSession {
            id: SessionId::mint(clock.now(), &OsRng, partition),
            scope,
            mode: Mode::Sandbox,
            dialect: Dialect::Native,
            service: None,
            purpose: "verification".into(),
            app_name: "Countersign".into(),
            locale: "en".into(),
            autofill: Autofill::default(),
            metadata: "{\"order\":\"A-17\"}".into(),
            add_contact: false,
            policy,
            challenges: vec![NewChallenge {
                channel: Channel::Email,
                recipient: Recipient::parse(Channel::Email, &address).unwrap(),
                message: MessageId::mint(clock.now(), &OsRng, partition),
                budget,
                instant: Some(ProviderName::new("sandbox")),
            }],
            fallback: Vec::new(),
            users: vec![subject],
            codes: CodeSource::Given([(Channel::Email, Code::parse("482913").unwrap())].into()),
            lease: minute,
        },
        budgets: vec![(budget, Channel::Email)],
        limits: SendLimits { counts: Vec::<Count>::new(), per_user: Limit { max: 5, window: minute * 5 }, active_per_user: 100 },
        claim: None,
    }
}

#[expect(dead_code, reason = "names the limit of the address")]
const IP: LimitName = LimitName::SendsPerIp;
