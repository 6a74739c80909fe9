//! A power cut in the middle of everything: what was acknowledged is there afterwards, once.

use std::path::Path;
use std::sync::{Arc, Mutex};

use countersign_model::EventKind;
use countersign_tests::{
    Client, Expected, Happened, Process, ProviderDouble, Sent, Setup, email, happened, run, sms, within_patience,
};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// What callers were told before the lights went out.
#[derive(Default)]
struct Told {
    sent: Vec<Sent>,
    verified: Vec<Sent>,
}

/// Sends and verifies until nobody answers any more. Every other session is left unverified.
async fn caller(client: Client, name: usize, told: Arc<Mutex<Told>>, progress: Arc<Semaphore>) {
    for number in 0_u32.. {
        let ask = email(&format!("ann-{name}-{number}@example.com"));
        let Some(reply) = client.try_call("/api/v1/otp/send", ask.body()).await else { return };
        let sent = Sent::read(reply);
        told.lock().unwrap().sent.push(sent.clone());
        if number % 2 == 0 {
            let guess = serde_json::json!({"session_token": sent.token, "code": sent.code("email")});
            let Some(reply) = client.try_call("/api/v1/otp/verify", &guess).await else { return };
            reply.assert(200).json("$.verified", true);
            told.lock().unwrap().verified.push(sent);
            progress.add_permits(1);
        }
    }
}

fn setup() -> Setup {
    Setup::default().set("public_url", "https://otp.acme.example").generous().set("log.level", "warn")
}

/// Runs a load on `data_dir` and cuts the power after `verifications` of them.
async fn cut_short(data_dir: &Path, key: &mut Option<String>, verifications: u32) -> Told {
    let process = Process::start(data_dir, &setup(), &[]).await;
    let key = key.get_or_insert_with(|| process.first_key()).clone();
    let (told, progress) = (Arc::new(Mutex::new(Told::default())), Arc::new(Semaphore::new(0)));
    let callers: Vec<_> = (0..12)
        .map(|name| tokio::spawn(caller(process.client().with_key(&key), name, Arc::clone(&told), Arc::clone(&progress))))
        .collect();
    within_patience("a load", progress.acquire_many(verifications)).await.unwrap().forget();
    process.kill().await;
    for caller in callers {
        within_patience("callers to notice", caller).await.unwrap();
    }
    Arc::into_inner(told).unwrap().into_inner().unwrap()
}

/// Numbers without gaps, each once; no session twice created or verified.
fn sound(happened: &Happened) {
    for (session, events) in happened {
        let numbers: Vec<u32> = events.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (1..=u32::try_from(events.len()).unwrap()).collect::<Vec<_>>(), "{session}: {events:?}");
        let count = |name: &str| events.iter().filter(|(_, kind)| kind.name() == name).count();
        assert_eq!(count("session.created"), 1, "{session}: {events:?}");
        assert!(count("session.verified") <= 1, "{session}: {events:?}");
        assert_eq!(count("message.sent"), 1, "{session}: {events:?}");
    }
}

#[tokio::test]
async fn what_was_acknowledged_before_a_sigkill_is_there_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut key = None;
    for round in 0..3_u32 {
        let told = cut_short(dir.path(), &mut key, 60 + 40 * round).await;
        let process = Process::start(dir.path(), &setup(), &[]).await;
        let client = process.client().with_key(key.as_ref().unwrap());
        for sent in &told.verified {
            client.status(sent).await.assert(200).json("$.status", "verified");
            client.verify(sent, sent.code("email")).await.error(409, "already_verified");
        }
        for sent in &told.sent {
            // Whoever was not told may have been heard all the same; nobody is heard twice.
            let reply = client.verify(sent, sent.code("email")).await;
            match reply.status {
                200 => drop(reply.json("$.verified", true).clone()),
                _ => drop(reply.error(409, "already_verified").clone()),
            }
            client.verify(sent, sent.code("email")).await.error(409, "already_verified");
        }
        let (code, _) = process.stop().await;
        assert_eq!(code, Some(0));
        let happened = happened(dir.path()).await;
        sound(&happened);
        for sent in &told.sent {
            let events = &happened[&sent.session_id];
            assert!(matches!(events[0].1, EventKind::SessionCreated { .. }), "{events:?}");
            assert!(events.iter().any(|(_, kind)| matches!(kind, EventKind::SessionVerified { .. })), "{events:?}");
        }
    }
}

/// A server with a gateway that holds its answers back, and a caller with a live key.
async fn in_the_middle(dir: &Path, double: &ProviderDouble) -> (Process, Client) {
    let process = Process::start(dir, &setup().sms(double), &[]).await;
    let made = run(dir, &["key", "create", "--mode", "live"]).await;
    let live = process.client().with_key(made["secret"].as_str().unwrap());
    live.until_let_in().await;
    (process, live)
}

/// Asks the server to stop, and comes back when it takes no new connections.
async fn stopping(process: Process) -> JoinHandle<(Option<i32>, Vec<String>)> {
    let address = process.client().base().trim_start_matches("http://").to_owned();
    let stopping = tokio::spawn(process.stop());
    let refused = async { while TcpStream::connect(&address).await.is_ok() {} };
    within_patience("the end of new connections", refused).await;
    stopping
}

#[tokio::test]
async fn a_server_that_is_asked_to_stop_finishes_what_it_has_begun() {
    let dir = tempfile::tempdir().unwrap();
    let double = ProviderDouble::start(Expected::json()).await;
    let gate = double.hold();
    let (process, live) = in_the_middle(dir.path(), &double).await;
    let sending = tokio::spawn(async move { live.send(sms("+12025550143")).await });
    double.request(1).await;
    let stopping = stopping(process).await;
    assert!(!sending.is_finished() && !stopping.is_finished(), "the call that runs is waited for");
    gate.open();
    let sent = sending.await.unwrap();
    sent.reply.json("$.channels_sent.sms.success", true);
    assert_eq!(stopping.await.unwrap().0, Some(0));
    let events = happened(dir.path()).await.remove(&sent.session_id).unwrap();
    assert!(events.iter().any(|(_, kind)| matches!(kind, EventKind::MessageSent { .. })), "{events:?}");
}
