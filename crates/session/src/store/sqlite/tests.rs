//! The contract, held against the embedded engine, and what only an engine with a file can be asked.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;

use countersign_model::{Channel, Code, ReceiptFailover, Report, Undelivered};
use rusqlite::types::ValueRef;
use tempfile::TempDir;
use tokio::sync::Notify;

use super::schema::{open_reader, open_writer};
use super::writer::Equipment;
use super::{SqliteOptions, SqliteStore};
use crate::code::CodeSource;
use crate::session::packed::Writer as Packed;
use crate::session::{Session, SessionStatus};
use crate::store::rows::{pack, pack_session, unpack, unpack_session};
use crate::store::suite::bench::{BUDGET, Bench, code, expect_verdict};
use crate::store::suite::receipts::receipt;
use crate::store::suite::{Engine, Setup};
use crate::store::{Answer, OpenVerdict, SessionStore, VerifyVerdict};

fn options(directory: &Path) -> SqliteOptions {
    SqliteOptions { path: directory.join("hot.db") }
}

fn store(directory: &Path, setup: Setup) -> SqliteStore {
    SqliteStore::open_with_faults(options(directory), setup.keys, setup.clock, setup.budget, setup.strike).unwrap()
}

/// Every row that steps write, as text.
fn dump(directory: &Path) -> String {
    let connection = open_reader(&directory.join("hot.db")).unwrap();
    let mut text = String::new();
    for table in ["sessions", "subjects", "replies", "names", "messages", "log"] {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query(()).unwrap();
        while let Some(row) = rows.next().unwrap() {
            text += table;
            for column in 0..columns {
                match row.get_ref(column).unwrap() {
                    ValueRef::Blob(bytes) => write!(text, " {bytes:02x?}").unwrap(),
                    other => write!(text, " {other:?}").unwrap(),
                }
            }
            text += "\n";
        }
    }
    text
}

async fn engine(setup: Setup) -> Engine {
    let directory = Arc::new(TempDir::new().unwrap());
    let store = Arc::new(store(directory.path(), setup));
    let dumped = Arc::clone(&directory);
    Engine { store, dump: Some(Box::new(move || dump(dumped.path()))), keep: Box::new(directory) }
}

crate::session_store_suite!(engine);

/// A bench whose files lie in `directory`, and a second way in to the same store.
async fn bench_in(directory: &Path) -> (Bench, Arc<SqliteStore>) {
    let (told, hear) = channel();
    let made = async |setup: Setup| {
        let store = Arc::new(store(directory, setup));
        told.send(Arc::clone(&store)).unwrap();
        Engine { store, dump: None, keep: Box::new(()) }
    };
    let bench = Bench::new(&made).await;
    (bench, hear.recv().unwrap())
}

/// What a machine that loses power now would find: the files as they are, nothing shut down.
fn after_a_crash(bench: &Bench, directory: &Path) -> (TempDir, SqliteStore) {
    let aside = TempDir::new().unwrap();
    for name in ["hot.db", "hot.db-wal"] {
        std::fs::copy(directory.join(name), aside.path().join(name)).unwrap();
    }
    let setup = Setup { keys: Arc::clone(&bench.keys), clock: Arc::clone(&bench.clock), budget: BUDGET, strike: Arc::default() };
    let store = store(aside.path(), setup);
    (aside, store)
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_crash() {
    let directory = TempDir::new().unwrap();
    let (bench, _store) = bench_in(directory.path()).await;
    let mut opened = Vec::new();
    for round in 0..5 {
        for _ in 0..40 {
            opened.push(bench.sent(&[Channel::Email]).await);
        }
        let session = opened.last().unwrap();
        assert!(bench.judged(session, &[(Channel::Email, code(Channel::Email))]).await.verified);
        let (_aside, found) = after_a_crash(&bench, directory.path());
        for session in &opened {
            let after = found.find(bench.scope, session.id()).await.unwrap();
            assert_eq!(after, Some(bench.find(session).await), "round {round}");
        }
        let again = bench.verify_step(session, &[(Channel::Email, code(Channel::Email))]);
        expect_verdict!(found.verify(again).await.unwrap().answer, Answer::Fresh(VerifyVerdict::AlreadyVerified(_)) => ());
        let partition = bench.scope.tenant.partition();
        let log = found.read_log(partition, 0, usize::MAX).await.unwrap();
        assert_eq!(log, bench.store.read_log(partition, 0, usize::MAX).await.unwrap());
    }
}

#[tokio::test]
async fn what_waits_when_the_store_is_dropped_is_done() {
    let directory = TempDir::new().unwrap();
    let (bench, store) = bench_in(directory.path()).await;
    let session = bench.sent(&[Channel::Email]).await;
    let verify = bench.verify_step(&session, &[(Channel::Email, code(Channel::Email))]);
    let clock = Arc::clone(&bench.clock);
    let (keys, scope) = (Arc::clone(&bench.keys), bench.scope);
    // Polled once, so that the step is on its way, and given up.
    let step = store.verify(verify);
    tokio::select! { biased; _ = step => {}, () = std::future::ready(()) => {} }
    drop((bench, store));
    assert!(!directory.path().join("hot.db-wal").exists(), "the file is left tidy");
    let store = SqliteStore::open(options(directory.path()), keys, Arc::clone(&clock) as _, BUDGET).unwrap();
    let found = store.find(scope, session.id()).await.unwrap().unwrap();
    assert_eq!(found.status(countersign_model::Clock::now(&*clock)), SessionStatus::Verified);
}

#[tokio::test]
async fn no_code_and_no_guess_is_in_any_file() {
    const SECRETS: [&str; 3] = ["7391846205", "5550123987", "8812209914"];
    let directory = TempDir::new().unwrap();
    let (bench, _store) = bench_in(directory.path()).await;
    let mut open = bench.opening(&[Channel::Email]);
    open.session.metadata = "{\"find\":\"me\"}".into();
    open.session.codes = CodeSource::Given([(Channel::Email, Code::parse(SECRETS[0]).unwrap())].into());
    open.claim = Some(bench.claim("send", "send"));
    let session = bench.open(open).await;
    let mut wrong = bench.verify_step(&session, &[(Channel::Email, SECRETS[1])]);
    wrong.claim = Some(bench.claim("verify", "verify"));
    bench.store.verify(wrong).await.unwrap();
    bench.judged(&session, &[(Channel::Email, SECRETS[2])]).await;
    let resent = bench.resent(&session).await;
    let new_code = bench.new_code(&resent, Channel::Email);
    bench.judged(&session, &[(Channel::Email, SECRETS[0])]).await;

    let mut holds = String::new();
    for file in std::fs::read_dir(directory.path()).unwrap() {
        holds += &String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap());
    }
    assert!(holds.contains("{\"find\":\"me\"}"), "the files hold what was written");
    for secret in SECRETS.into_iter().chain([new_code.as_str()]) {
        assert!(!holds.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn steps_that_wait_together_fail_alone() {
    let directory = TempDir::new().unwrap();
    let (bench, store) = bench_in(directory.path()).await;
    let (go_on, waits) = channel::<()>();
    let busy = Arc::new(Notify::new());
    let entered = Arc::clone(&busy);
    let first = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let wait = move |_: &mut super::writer::Desk<'_, '_>, _: &crate::session::Context<'_>| {
                entered.notify_one();
                waits.recv().unwrap();
                Ok(())
            };
            store.writer.send(wait).await
        })
    };
    busy.notified().await;
    let panics = store.writer.send::<(), _>(|desk, cx| {
        desk.rows.mark(cx.now)?;
        panic!("a bug in a step");
    });
    let errs = store.writer.send::<(), _>(|_, _| Err(super::unavailable("no")));
    let open = bench.opening(&[Channel::Email]);
    let (scope, id) = (bench.scope, open.session.id);
    let opens = store.open(open);
    let release = async {
        go_on.send(()).unwrap();
    };
    let (panics, errs, opens, ()) = tokio::join!(panics, errs, opens, release);
    assert!(panics.is_err() && errs.is_err(), "{panics:?} {errs:?}");
    assert!(matches!(&opens, Ok(heard) if matches!(heard.answer, Answer::Fresh(OpenVerdict::Opened(_)))), "{opens:?}");
    assert!(store.find(scope, id).await.unwrap().is_some());
    first.await.unwrap().unwrap();
    assert_eq!(store.ready().await, Ok(()));
}

#[tokio::test]
async fn a_full_disk_loses_nothing_that_was_answered() {
    let directory = TempDir::new().unwrap();
    let made = async |setup: Setup| {
        let connection = open_writer(&options(directory.path())).unwrap();
        connection.pragma_update_and_check(None, "max_page_count", 30, |_| Ok(())).unwrap();
        let equipment = Equipment { keys: setup.keys, clock: setup.clock, budget: setup.budget, faults: setup.strike };
        let store = SqliteStore::start(connection, options(directory.path()), equipment).unwrap();
        Engine { store: Arc::new(store), dump: None, keep: Box::new(()) }
    };
    let bench = Bench::new(&made).await;
    // Of those that come together it is chance how many share a transaction, and with it an end.
    let alone = bench.opening(&[Channel::Email]);
    let mut opened = vec![(alone.session.id, bench.store.open(alone).await.is_ok())];
    for _ in 0..10 {
        let steps: Vec<_> = (0..30).map(|_| bench.opening(&[Channel::Email])).collect();
        let ids: Vec<_> = steps.iter().map(|step| step.session.id).collect();
        let racing = steps.into_iter().map(|step| {
            let store = Arc::clone(&bench.store);
            tokio::spawn(async move { store.open(step).await })
        });
        for (id, task) in ids.into_iter().zip(racing.collect::<Vec<_>>()) {
            opened.push((id, task.await.unwrap().is_ok()));
        }
    }
    assert!(opened.iter().any(|(_, answered)| *answered) && opened.iter().any(|(_, answered)| !*answered), "{opened:?}");
    for (id, answered) in &opened {
        assert_eq!(bench.store.find(bench.scope, *id).await.unwrap().is_some(), *answered, "{id}");
    }
    assert!(bench.log().await.len() == opened.iter().filter(|(_, answered)| *answered).count());
}

#[tokio::test]
async fn a_session_that_heard_of_no_receipt_is_kept_as_it_was_before_there_were_any() {
    let directory = TempDir::new().unwrap();
    let (bench, _store) = bench_in(directory.path()).await;
    let plain = bench.sent(&[Channel::Sms]).await;
    let mut open = bench.opening(&[Channel::Sms]);
    open.session.policy.receipts.failover = ReceiptFailover::Channel;
    let session = bench.open(open).await;
    let session = bench.accept(&session).await;
    let bad = receipt(&session, Channel::Sms, Report::Undelivered(Undelivered::Rejected));
    bench.store.receive(bad).await.unwrap();
    bench.resent(&session).await;
    let told = bench.find(&session).await;
    for (session, says_more) in [(plain, false), (told, true)] {
        let kept = pack_session(&session).unwrap();
        assert_eq!(kept != pack(&session).unwrap(), says_more);
        assert_eq!(unpack_session(&kept).unwrap(), session);
        let before: Session = unpack("session", &kept).unwrap();
        assert_eq!((before.id(), before == session), (session.id(), !says_more), "an earlier release reads over the rest");

        let mut out = Packed::new();
        session.pack(&mut out).unwrap();
        let packed = out.finish();
        assert_eq!(Session::unpack(&packed).unwrap(), session);
        // An array, and how many values it has.
        assert_eq!(packed[..3], [0xDC, 0, if says_more { 33 } else { 32 }]);
    }
}

#[tokio::test]
async fn a_store_whose_file_is_of_another_program_is_refused() {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("hot.db"), "no database at all, but long enough to look at").unwrap();
    let refused = open_writer(&options(directory.path())).unwrap_err();
    assert!(refused.to_string().contains("not a database"), "{refused}");
}
