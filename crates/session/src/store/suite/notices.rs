//! Messages without a code.

use std::time::Duration;

use countersign_model::{Channel, EventKind, Limit, LimitName, ProviderName};

use super::bench::{Bench, LEASE, MINUTE, UNREACHABLE, accepted, expect_verdict, fresh, per_ip};
use crate::code::{CodeSource, SubjectKind};
use crate::session::{Billing, Delivery, Session};
use crate::store::{
    Answer, CancelVerdict, LapseVerdict, Open, OpenVerdict, RecordVerdict, SendAgainVerdict, SessionFilter, VerifyVerdict,
};

const SMS: Channel = Channel::Sms;

fn notice(bench: &Bench) -> Open {
    let mut open = bench.opening(&[SMS]);
    open.session.codes = CodeSource::Notice;
    open
}

/// One whose message costs 0.20, and whose fee would be 0.10.
fn billed(bench: &Bench) -> Open {
    let mut open = notice(bench);
    open.session.billing = Some(Billing { fee: "0.1".parse().unwrap(), low_at: None });
    open.session.challenges[0].cost = "0.2".parse().unwrap();
    open
}

async fn record(bench: &Bench, session: &Session, outcome: countersign_model::Attempt) -> (Session, Delivery) {
    bench.record(session, &[(SMS, outcome)]).await
}

pub async fn a_notice_is_told_as_itself_and_hears_nothing(bench: Bench) {
    let session = bench.open(notice(&bench)).await;
    let (session, delivery) = record(&bench, &session, accepted()).await;
    assert_eq!(delivery, Delivery::Sent);
    assert_eq!(bench.names(&session).await, ["notice.opened", "message.sent"]);
    assert_eq!(bench.guess(&session, &[(SMS, "000000")]).await, VerifyVerdict::Unknown);
    assert_eq!(bench.guess_unnamed(&session, "000000").await, VerifyVerdict::Unknown);
    assert_eq!(bench.cancel(&session).await, CancelVerdict::Unknown);
    bench.clock.advance(MINUTE);
    assert_eq!(bench.try_resend(bench.resend_step(&session)).await, SendAgainVerdict::Unknown);
    assert_eq!(fresh(bench.store.advance(bench.advance_step(&session)).await.unwrap()), SendAgainVerdict::Unknown);
    bench.clock.advance(MINUTE * 10);
    assert_eq!(bench.lapse(&session).await, LapseVerdict::Settled);
    assert_eq!(bench.names(&session).await, ["notice.opened", "message.sent"], "it neither ends nor expires");
}

pub async fn nobody_finds_a_notice(bench: Bench) {
    let session = bench.open(notice(&bench)).await;
    assert_eq!(bench.store.find(bench.scope, session.id()).await, Ok(None));
    assert_eq!(bench.store.list(bench.scope, SessionFilter::default(), 10).await.unwrap().sessions, []);
    let events = bench.story(&session).await;
    let [EventKind::NoticeOpened(facts)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(facts.messages, [(session.challenges()[0].message.id, SMS)]);
}

pub async fn a_notice_opened_again_with_its_id_is_the_same_one(bench: Bench) {
    let open = notice(&bench);
    let session = bench.open(open.clone()).await;
    assert_eq!(bench.open(open).await, session);
}

pub async fn a_notice_pays_for_its_message_and_no_fee(bench: Bench) {
    bench.credit(1, "1").await;
    let session = bench.open(billed(&bench)).await;
    assert_eq!(bench.balance().await, ("1.00".to_owned(), "0.20".to_owned()));
    let (session, _) = record(&bench, &session, accepted()).await;
    assert_eq!(bench.balance().await, ("0.80".to_owned(), "0.00".to_owned()));
    assert_eq!(session.cost(), Some("0.2".parse().unwrap()));
    assert_eq!(bench.names(&session).await, ["notice.opened", "message.sent", "wallet.captured"]);

    let mut instant = billed(&bench);
    instant.session.challenges[0].instant = Some(ProviderName::new("console"));
    let session = bench.open(instant).await;
    assert_eq!(bench.balance().await, ("0.60".to_owned(), "0.00".to_owned()));
    assert_eq!(bench.names(&session).await, ["notice.opened", "message.sent", "wallet.captured"]);
}

pub async fn a_notice_of_which_nothing_went_out_costs_nothing(bench: Bench) {
    bench.credit(1, "0.2").await;
    let session = bench.open(billed(&bench)).await;
    assert_eq!(bench.try_open(billed(&bench)).await, OpenVerdict::InsufficientBalance);
    let (session, delivery) = record(&bench, &session, UNREACHABLE).await;
    assert_eq!(delivery, Delivery::NothingSent);
    assert_eq!(bench.balance().await, ("0.20".to_owned(), "0.00".to_owned()));
    assert_eq!(bench.names(&session).await, ["notice.opened", "message.failed"]);
}

pub async fn a_notice_whose_sender_died_may_have_gone_out(bench: Bench) {
    bench.credit(1, "1").await;
    let session = bench.open(billed(&bench)).await;
    bench.clock.advance(LEASE);
    assert_eq!(bench.store.due(10).await.unwrap(), [(bench.scope, session.id())]);
    assert_eq!(bench.lapse(&session).await, LapseVerdict::Settled);
    assert_eq!(bench.names(&session).await, ["notice.opened", "message.unclear", "wallet.captured"]);
    assert_eq!(bench.balance().await, ("0.80".to_owned(), "0.00".to_owned()));
    assert_eq!(bench.store.due(10).await.unwrap(), []);
}

pub async fn a_notice_counts_against_the_limits_of_any_send(bench: Bench) {
    let ip = bench.subject(SubjectKind::Ip, "192.0.2.1");
    let limited = || {
        let mut open = notice(&bench);
        let limit = Limit { max: 1, window: Duration::from_mins(1) };
        open.limits.counts = vec![crate::store::Count { limit, ..per_ip(ip) }];
        open
    };
    bench.open(limited()).await;
    let refused = bench.try_open(limited()).await;
    assert_eq!(refused, OpenVerdict::Limited { limit: LimitName::SendsPerIp, wait: MINUTE });
}

pub async fn a_notice_under_a_used_key_is_answered_from_memory(bench: Bench) {
    let claimed = || {
        let mut open = notice(&bench);
        open.claim = Some(bench.claim("key", "body"));
        open
    };
    let open = claimed();
    let session = bench.open(open.clone()).await;
    assert_eq!(bench.store.open(claimed()).await.unwrap().answer, Answer::Running);
    let mut step = bench.record_step(&session, &[(SMS, accepted())]);
    step.claim = open.claim;
    expect_verdict!(bench.store.record(step).await.unwrap(), RecordVerdict::Recorded(..) => ());
    let answer = bench.store.open(claimed()).await.unwrap().answer;
    let Answer::Replayed(OpenVerdict::Opened(replayed)) = answer else { panic!("{answer:?}") };
    assert_eq!(replayed.id(), session.id());
}
