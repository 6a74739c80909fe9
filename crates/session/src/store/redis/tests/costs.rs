//! What steps cost Redis: commands, and bytes for as long as a session is kept.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use countersign_model::{Channel, ProviderName, ReceiptFailover, Report, SessionId, TenantId, Undelivered};
use redis::AsyncCommands as _;

use super::Workshop;
use crate::session::Names;
use crate::store::suite::bench::{DAY, MINUTE, WRONG, code, expect_verdict};
use crate::store::suite::receipts::{newest, receipt};
use crate::store::{Answer, Lapse, NameQuery, NamedMessage, OpenVerdict, VerifyVerdict};

/// Hears every command that a server runs.
struct Monitor(BufReader<TcpStream>);

impl Monitor {
    fn of(shop: &Workshop) -> Self {
        let mut line = TcpStream::connect(("127.0.0.1", shop.server.port())).unwrap();
        line.write_all(b"MONITOR\r\n").unwrap();
        let mut line = BufReader::new(line);
        line.read_line(&mut String::new()).unwrap();
        Self(line)
    }

    /// What scripts have called since the last time.
    fn called_by_scripts(&mut self, shop: &Workshop) -> Vec<String> {
        assert_eq!(shop.server.cli(&["ECHO", "until here"]).trim(), "until here");
        let mut called = Vec::new();
        loop {
            let mut told = String::new();
            self.0.read_line(&mut told).unwrap();
            if told.contains("until here") {
                return called;
            }
            if let Some((_, command)) = told.split_once(" lua] ") {
                called.push(command.chars().take(60).collect());
            }
        }
    }
}

impl Workshop {
    /// Bytes that the sessions take up, and how many they are.
    async fn sessions(&self) -> (u64, u64) {
        let mut line = self.line.clone();
        let names: Vec<Vec<u8>> = line.keys("{p05up}s*").await.unwrap();
        let mut bytes = 0;
        for name in &names {
            let one: u64 = redis::cmd("MEMORY").arg("USAGE").arg(name).query_async(&mut line).await.unwrap();
            bytes += one;
        }
        (bytes, names.len() as u64)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_takes_at_most_fourteen_commands_and_a_verification_six() {
    let shop = Workshop::new().await;
    let mut monitor = Monitor::of(&shop);
    shop.bench.credit(1, "100.00").await;
    for _ in 0..20 {
        monitor.called_by_scripts(&shop);
        expect_verdict!(shop.bench.try_open(shop.full_opening()).await, OpenVerdict::Opened(_) => ());
        let called = monitor.called_by_scripts(&shop);
        assert!((2..=14).contains(&called.len()), "{called:#?}");
        shop.bench.clock.advance(MINUTE * 5);
    }
    for (guess, right) in [(WRONG, false), (code(Channel::Email), true)] {
        let session = shop.full_session().await;
        let step = shop.bench.verify_step(&session, &[(Channel::Email, guess)]);
        monitor.called_by_scripts(&shop);
        let heard = shop.bench.store.verify(step).await.unwrap();
        expect_verdict!(heard.answer, Answer::Fresh(VerifyVerdict::Judged(_, told, _)) => assert_eq!(told.verified, right));
        let called = monitor.called_by_scripts(&shop);
        assert!((2..=6).contains(&called.len()), "{called:#?}");
        shop.bench.clock.advance(MINUTE * 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_takes_one_command_of_an_opening_and_a_held_slot_one_more() {
    let shop = Workshop::new().await;
    let mut monitor = Monitor::of(&shop);
    shop.bench.credit(1, "100.00").await;
    shop.bench.open(shop.full_opening()).await;
    let mut counted = Vec::new();
    for (slot, recipient, by_code) in
        [(false, false, false), (true, false, false), (false, true, false), (false, false, true), (true, true, true)]
    {
        let mut open = shop.full_opening();
        // The index is swept by some openings only.
        let id = open.session.id.bits() & !0xFF00 | 0x0100;
        open.session.id = SessionId::from_bits(id);
        let name = |kind: &str| shop.bench.keys.fingerprint(&[kind.as_bytes(), &id.to_be_bytes()]);
        open.session.names = Names { slot: slot.then(|| name("slot")), recipient: recipient.then(|| name("recipient")), by_code };
        open.session.codes = shop.bench.minted();
        monitor.called_by_scripts(&shop);
        shop.bench.open(open.clone()).await;
        counted.push(monitor.called_by_scripts(&shop).len());
        if slot {
            open.session.id = SessionId::from_bits(id + 1);
            open.claim = None;
            expect_verdict!(shop.bench.try_open(open).await, OpenVerdict::SlotTaken { .. } => ());
            let called = monitor.called_by_scripts(&shop);
            assert!(called.len() <= 4, "a refused opening writes its call and nothing else: {called:#?}");
        }
        shop.bench.clock.advance(MINUTE * 5);
    }
    let without = counted[0];
    assert_eq!(counted, [without, without + 1, without + 1, without + 1, without + 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_under_a_name_takes_two_commands() {
    let shop = Workshop::new().await;
    let mut monitor = Monitor::of(&shop);
    let recipient = shop.bench.keys.fingerprint(&[b"ann"]);
    for _ in 0..3 {
        let mut open = shop.bench.opening(&[Channel::Sms]);
        open.session.names.recipient = Some(recipient);
        shop.bench.open(open).await;
    }
    monitor.called_by_scripts(&shop);
    let found = shop.bench.store.named(shop.bench.scope, NameQuery::Recipient(recipient)).await.unwrap();
    assert_eq!((found.len(), monitor.called_by_scripts(&shop).len()), (3, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_one_call_of_five_commands_at_most_however_many_tenants_there_are() {
    let shop = Workshop::new().await;
    let mut monitor = Monitor::of(&shop);
    shop.bench.credit(1, "100.00").await;
    let quiet = shop.full_session().await;
    let mut open = shop.bench.opening(&[Channel::Email]);
    open.session.policy.receipts.failover = ReceiptFailover::Provider;
    let awaited = shop.bench.open(open).await;
    let awaited = shop.bench.accept(&awaited).await;
    for _ in 0..40 {
        let mut open = shop.bench.opening(&[Channel::Sms]);
        open.session.scope.tenant = TenantId::mint(shop.bench.now(), &shop.bench.rng, quiet.id().partition());
        shop.bench.open(open).await;
    }
    let bad = Report::Undelivered(Undelivered::Expired);
    let told =
        [(&quiet, bad, 3), (&quiet, bad, 1), (&quiet, Report::Delivered, 3), (&quiet, Report::Delivered, 1), (&awaited, bad, 5)];
    for (session, report, commands) in told {
        monitor.called_by_scripts(&shop);
        let calls = shop.server.calls("evalsha");
        shop.bench.store.receive(receipt(session, Channel::Email, report)).await.unwrap();
        assert_eq!(shop.server.calls("evalsha") - calls, 1, "round trips");
        let called = monitor.called_by_scripts(&shop);
        assert_eq!(called.len(), commands, "{report:?}: {called:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_many_messages_takes_up_little_too() {
    let shop = Workshop::new().await;
    shop.bench.credit(1, "100.00").await;
    let mut open = shop.full_opening();
    open.session.policy.receipts.failover = ReceiptFailover::Provider;
    let mut session = shop.bench.open(open).await;
    for _ in 0..5 {
        session = shop.bench.accept(&session).await;
        shop.bench.clock.advance(MINUTE * 2);
        session = shop.bench.resent(&session).await;
    }
    let new_code = shop.bench.new_code(&session, Channel::Email);
    shop.bench.accept(&session).await;
    assert!(shop.bench.judged(&session, &[(Channel::Email, &new_code)]).await.session_verified);
    let (kept, _) = shop.sessions().await;
    assert!(kept <= 800, "{kept} bytes once verified, with all that it may remember");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_takes_up_little_and_less_when_its_codes_are_dead() {
    let shop = Workshop::new().await;
    shop.bench.credit(1, "100.00").await;
    let verified = shop.full_session().await;
    shop.bench.judged(&verified, &[(Channel::Email, WRONG)]).await;
    let (live, _) = shop.sessions().await;
    assert!(live <= 900, "{live} bytes while its code lives");
    shop.bench.judged(&verified, &[(Channel::Email, code(Channel::Email))]).await;
    let (kept, sessions) = shop.sessions().await;
    assert!(sessions == 1 && kept <= 700, "{kept} bytes once verified");
    let expired = shop.full_session().await;
    shop.bench.clock.advance(MINUTE * 11);
    shop.bench.store.lapse(Lapse { scope: shop.bench.scope, session: expired.id(), given_up: None }).await.unwrap();
    let (both, _) = shop.sessions().await;
    assert!(both - kept <= 700, "{} bytes once expired", both - kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_kept_has_a_life() {
    let shop = Workshop::new().await;
    shop.bench.credit(1, "100.00").await;
    shop.bench.open(shop.named_opening()).await;
    let session = shop.full_session().await;
    shop.bench.judged(&session, &[(Channel::Email, WRONG)]).await;
    let message = NamedMessage::whole(newest(&session, Channel::Email));
    shop.bench.store.name_message(&ProviderName::new("house"), "7", &message).await.unwrap();
    let mut line = shop.line.clone();
    let names: Vec<Vec<u8>> = line.keys("*").await.unwrap();
    for name in names {
        let lives_for: i64 = line.pttl(&name).await.unwrap();
        // Behind the tag: what the key is.
        match name[7] {
            b's' | b'u' | b'i' | b'n' | b'x' => assert!(lives_for > 0, "{:?} lives for ever", name.escape_ascii().to_string()),
            b'm' if name.get(8..) != Some(b"eta") => {
                assert!(lives_for > 0 && lives_for <= i64::try_from(DAY.as_millis()).unwrap());
            }
            _ => assert_eq!(lives_for, -1, "{:?}", name.escape_ascii().to_string()),
        }
    }
}
