//! What sessions are found by besides their ids.

use std::collections::BTreeMap;

use countersign_model::{Attempt, Channel, Code, KeyKind, Mode, ProviderName, Scope};

use super::bench::{Bench, DAY, LEASE, MINUTE, POLICY, SECOND, UNREACHABLE, WRONG, code, expect_verdict};
use crate::code::{CodeSource, Fingerprint};
use crate::guess::Guess;
use crate::session::{Session, SessionStatus};
use crate::store::{Answer, Heard, NameQuery, Open, OpenVerdict, VerifyVerdict};

const SMS: Channel = Channel::Sms;

/// An opening that wants a slot.
fn slotted(bench: &Bench, slot: &str) -> Open {
    let mut open = bench.opening(&[SMS]);
    open.session.names.slot = Some(name(bench, slot));
    open
}

/// An opening whose code finds it.
fn by_code(bench: &Bench) -> Open {
    let mut open = bench.opening(&[SMS]);
    open.session.names.by_code = true;
    open.session.codes = bench.minted();
    open
}

/// The same with a code that the caller chose.
fn with_code(bench: &Bench, text: &str) -> Open {
    let mut open = by_code(bench);
    open.session.codes = CodeSource::Given(BTreeMap::from([(SMS, Code::parse(text).unwrap())]));
    open
}

fn name(bench: &Bench, text: &str) -> Fingerprint {
    bench.keys.fingerprint(&[b"a name", text.as_bytes()])
}

async fn found(bench: &Bench, query: NameQuery) -> Vec<Session> {
    bench.store.named(bench.scope, query).await.unwrap()
}

async fn under_slot(bench: &Bench, slot: &str) -> Vec<Session> {
    found(bench, NameQuery::Slot(name(bench, slot))).await
}

async fn under_code(bench: &Bench, text: &str) -> Vec<Session> {
    found(bench, NameQuery::Code { mode: Mode::Live, guess: Guess::read(text).unwrap() }).await
}

/// The code that a session to be opened would have in that generation.
fn candidate(open: &Open, generation: u32) -> String {
    let new = &open.session;
    new.codes_of(generation).next().unwrap().expose().to_owned()
}

async fn is_free(bench: &Bench, slot: &str) -> bool {
    match bench.try_open(slotted(bench, slot)).await {
        OpenVerdict::Opened(_) => true,
        OpenVerdict::SlotTaken { .. } => false,
        other => panic!("{other:?}"),
    }
}

pub async fn a_taken_slot_is_refused_and_nothing_is_counted(bench: Bench) {
    let holder = bench.open(slotted(&bench, "a")).await;
    let holder = bench.accept(&holder).await;
    bench.clock.advance(MINUTE * 4);
    let log = bench.log().await;
    let mut open = slotted(&bench, "a");
    open.claim = Some(bench.claim("key", "body"));
    let refused = bench.try_open(open.clone()).await;
    assert_eq!(refused, OpenVerdict::SlotTaken { wait: POLICY.life - MINUTE * 4 });
    assert_eq!(bench.log().await, log, "a refused opening is not told");
    assert_eq!(bench.store.find(bench.scope, open.session.id).await, Ok(None));
    let mut elsewhere = open;
    for _ in 0..5 {
        (elsewhere.session.id, elsewhere.claim) = (bench.opening(&[SMS]).session.id, None);
        elsewhere.session.names.slot = None;
        expect_verdict!(bench.try_open(elsewhere.clone()).await, OpenVerdict::Opened(_) => ());
    }
    assert_eq!(under_slot(&bench, "a").await, [bench.find(&holder).await]);
    assert!(is_free(&bench, "b").await, "another slot");
}

pub async fn a_locked_session_keeps_its_slot_until_it_expires(bench: Bench) {
    let session = bench.open(slotted(&bench, "a")).await;
    let session = bench.accept(&session).await;
    for _ in 0..3 {
        bench.judged(&session, &[(SMS, WRONG)]).await;
    }
    bench.clock.advance(POLICY.life - SECOND);
    let refused = bench.try_open(slotted(&bench, "a")).await;
    assert_eq!(refused, OpenVerdict::SlotTaken { wait: SECOND });
    assert_eq!(under_slot(&bench, "a").await[0].status(bench.now()), SessionStatus::Locked);
    bench.clock.advance(SECOND);
    assert!(is_free(&bench, "a").await);
}

pub async fn a_session_that_is_over_frees_its_slot(bench: Bench) {
    let verified = bench.open(slotted(&bench, "verified")).await;
    bench.judged(&verified, &[(SMS, code(SMS))]).await;
    assert!(is_free(&bench, "verified").await);

    let canceled = bench.open(slotted(&bench, "canceled")).await;
    bench.cancel(&canceled).await;
    assert!(is_free(&bench, "canceled").await);

    let failed = bench.open(slotted(&bench, "failed")).await;
    bench.record(&failed, &[(SMS, UNREACHABLE)]).await;
    assert!(is_free(&bench, "failed").await);

    let expired = bench.open(slotted(&bench, "expired")).await;
    bench.accept(&expired).await;
    bench.clock.advance(POLICY.life);
    assert!(is_free(&bench, "expired").await);
}

pub async fn a_slot_whose_sender_died_may_be_claimed_and_its_session_is_found_until_then(bench: Bench) {
    for has_lapsed in [false, true] {
        let slot = format!("lapsed {has_lapsed}");
        let dead = bench.open(slotted(&bench, &slot)).await;
        bench.clock.advance(LEASE - SECOND);
        assert!(!is_free(&bench, &slot).await, "somebody may be handing it over");
        bench.clock.advance(SECOND);
        if has_lapsed {
            bench.lapse(&dead).await;
        }
        assert_eq!(under_slot(&bench, &slot).await[0].id(), dead.id());
        let next = bench.open(slotted(&bench, &slot)).await;
        assert_eq!(under_slot(&bench, &slot).await[0].id(), next.id());
        assert!(bench.judged(&dead, &[(SMS, code(SMS))]).await.session_verified, "by its id it is still found");
        assert!(!is_free(&bench, &slot).await, "what becomes of the one before is nothing to the slot");
    }
}

pub async fn a_message_that_a_provider_may_have_keeps_its_slot(bench: Bench) {
    let session = bench.open(slotted(&bench, "a")).await;
    bench.record(&session, &[(SMS, Attempt::Unclear { provider: Some(ProviderName::new("house")) })]).await;
    bench.clock.advance(LEASE * 2);
    assert!(!is_free(&bench, "a").await);
}

pub async fn a_slot_names_its_last_session_for_a_day(bench: Bench) {
    let session = bench.open(slotted(&bench, "a")).await;
    bench.clock.advance(session.policy().life + DAY - SECOND);
    bench.store.sweep().await.unwrap();
    let named = under_slot(&bench, "a").await;
    assert_eq!((named[0].id(), named[0].status(bench.now())), (session.id(), SessionStatus::Expired));
    bench.clock.advance(SECOND);
    assert_eq!(under_slot(&bench, "a").await, []);
    assert_eq!(under_slot(&bench, "b").await, []);
}

pub async fn a_send_under_a_used_key_is_answered_although_it_holds_its_own_slot(bench: Bench) {
    let mut open = slotted(&bench, "a");
    open.session.challenges[0].instant = Some(ProviderName::new("sandbox"));
    open.claim = Some(bench.claim("key", "body"));
    let session = bench.open(open.clone()).await;
    let again =
        Open { session: crate::NewSession { id: bench.opening(&[SMS]).session.id, ..open.session.clone() }, ..open.clone() };
    let answer = bench.store.open(again).await.unwrap();
    let Heard { answer: Answer::Replayed(OpenVerdict::Opened(replayed)), .. } = answer else { panic!("{answer:?}") };
    assert_eq!(replayed.id(), session.id());
    assert_eq!(bench.try_open(open).await, OpenVerdict::Opened(Box::new(session)), "the step itself, once more");
}

pub async fn a_recipient_names_all_its_sessions_the_newest_first(bench: Bench) {
    let mut opened = Vec::new();
    for _ in 0..3 {
        bench.clock.advance(MINUTE);
        let mut open = bench.opening(&[SMS]);
        open.session.names.recipient = Some(name(&bench, "ann"));
        opened.insert(0, bench.open(open).await.id());
    }
    let query = || NameQuery::Recipient(name(&bench, "ann"));
    let ids = async || found(&bench, query()).await.iter().map(Session::id).collect::<Vec<_>>();
    assert_eq!(ids().await, opened);
    let other = Scope { keys: KeyKind::Test, ..bench.scope };
    assert_eq!(bench.store.named(other, query()).await, Ok(Vec::new()));
    bench.clock.advance(POLICY.life - MINUTE * 2);
    assert_eq!(ids().await, opened[..2], "the codes of the first have died");
}

pub async fn a_name_keeps_the_newest_sixty_four(bench: Bench) {
    let mut opened = Vec::new();
    for _ in 0..70 {
        bench.clock.advance(SECOND / 100);
        let mut open = bench.opening(&[SMS]);
        open.session.names.recipient = Some(name(&bench, "ann"));
        opened.insert(0, bench.open(open).await.id());
    }
    let named = found(&bench, NameQuery::Recipient(name(&bench, "ann"))).await;
    assert_eq!(named.iter().map(Session::id).collect::<Vec<_>>(), opened[..64]);
}

pub async fn a_code_names_its_session_while_it_lives(bench: Bench) {
    let session = bench.open(by_code(&bench)).await;
    bench.open(bench.opening(&[SMS])).await;
    let text = bench.new_code(&session, SMS);
    assert_eq!(under_code(&bench, &text).await, std::slice::from_ref(&session));
    assert_eq!(under_code(&bench, &format!(" {} ", text.replace("", " "))).await, std::slice::from_ref(&session));
    assert_eq!(under_code(&bench, code(SMS)).await, [], "found by its code is only who wants to be");
    let sandbox = NameQuery::Code { mode: Mode::Sandbox, guess: Guess::read(&text).unwrap() };
    assert_eq!(found(&bench, sandbox).await, []);
    assert!(bench.judged(&session, &[(SMS, &text)]).await.session_verified);
    assert_eq!(under_code(&bench, &text).await[0].status(bench.now()), SessionStatus::Verified);
    bench.clock.advance(POLICY.life);
    assert_eq!(under_code(&bench, &text).await, []);
}

pub async fn a_minted_code_that_is_taken_is_passed_over(bench: Bench) {
    let wanted = by_code(&bench);
    for generation in 0..3 {
        bench.open(with_code(&bench, &candidate(&wanted, generation))).await;
    }
    let session = bench.open(wanted.clone()).await;
    assert_eq!(session.generation(), 3);
    let text = candidate(&wanted, 3);
    assert_eq!(bench.new_code(&session, SMS), text);
    assert_eq!(under_code(&bench, &text).await, std::slice::from_ref(&session));
    let wrong = bench.judged(&session, &[(SMS, &candidate(&wanted, 0))]).await;
    assert!(!wrong.verified, "a code that was passed over opens nothing");
    assert!(bench.judged(&session, &[(SMS, &text)]).await.session_verified);
}

pub async fn where_no_minted_code_is_free_a_code_names_several(bench: Bench) {
    let wanted = by_code(&bench);
    let mut others = Vec::new();
    for generation in 0..4 {
        others.push(bench.open(with_code(&bench, &candidate(&wanted, generation))).await);
    }
    bench.clock.advance(SECOND);
    let mut wanted = wanted;
    wanted.session.names.recipient = Some(name(&bench, "ann"));
    let session = bench.open(wanted).await;
    assert_eq!(session.generation(), 0);
    let text = bench.new_code(&session, SMS);
    let named = under_code(&bench, &text).await;
    let mut ids: Vec<_> = named.iter().map(Session::id).collect();
    ids.sort_unstable();
    let mut expected = vec![others[0].id(), session.id()];
    expected.sort_unstable();
    assert_eq!(ids, expected);
    for one in named {
        assert!(bench.judged(&one, &[(SMS, &text)]).await.session_verified, "it opens each of them");
    }
}

pub async fn a_code_that_died_is_free_again(bench: Bench) {
    let wanted = by_code(&bench);
    bench.open(with_code(&bench, &candidate(&wanted, 0))).await;
    bench.clock.advance(POLICY.life);
    assert_eq!(bench.open(wanted).await.generation(), 0);
}

pub async fn a_resend_goes_on_behind_the_generation_that_was_chosen(bench: Bench) {
    let wanted = by_code(&bench);
    bench.open(with_code(&bench, &candidate(&wanted, 0))).await;
    let session = bench.open(wanted).await;
    let session = bench.accept(&session).await;
    let old = bench.new_code(&session, SMS);
    let session = bench.resent(&session).await;
    assert_eq!(session.generation(), 2);
    let new = bench.new_code(&session, SMS);
    bench.accept(&session).await;
    assert!(!bench.judged(&session, &[(SMS, &old)]).await.verified);
    assert!(bench.judged(&session, &[(SMS, &new)]).await.session_verified);
}

pub async fn what_no_name_is_asked_for_leaves_none(bench: Bench) {
    let session = bench.sent(&[SMS]).await;
    assert_eq!(under_code(&bench, code(SMS)).await, []);
    expect_verdict!(bench.guess(&session, &[(SMS, code(SMS))]).await, VerifyVerdict::Judged(..) => ());
}
