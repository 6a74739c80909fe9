//! What an opening makes, and who sees it.

use countersign_model::{
    Attempt, Channel, EventKind, KeyKind, MessageStatus, Partition, ProviderName, Scope, SeededRng, SessionId, TenantId,
};

use super::bench::{Bench, MINUTE, SECOND, WRONG, code, expect_verdict, fresh};
use crate::session::{Session, SessionStatus, TOKEN_LIFE};
use crate::store::{
    Advance, Cancel, CancelVerdict, Lapse, LapseVerdict, LogPage, Record, RecordVerdict, Resend, SendAgainVerdict, SessionFilter,
    Verify, VerifyVerdict,
};

pub async fn an_opened_session_is_found_as_it_was_answered(bench: Bench) {
    let mut open = bench.opening(&[Channel::Email, Channel::Sms]);
    open.session.metadata = "{\"order\":\"A-17\",\"note\":\"ü\"}".into();
    open.session.purpose = "login".into();
    let session = bench.open(open).await;
    assert_eq!(bench.find(&session).await, session);
    assert_eq!(session.status(bench.now()), SessionStatus::Pending);
    assert_eq!(session.expires_at(), bench.now().plus(MINUTE * 10));
    assert_eq!((session.metadata(), session.purpose()), ("{\"order\":\"A-17\",\"note\":\"ü\"}", "login"));
    assert_eq!(bench.names(&session).await, ["session.created"]);
}

pub async fn the_language_that_a_contact_is_to_have_is_told_with_its_session(bench: Bench) {
    let mut open = bench.opening(&[Channel::Email]);
    (open.session.add_contact, open.session.contact_locale) = (true, Some("pt-BR".to_owned()));
    let session = bench.open(open).await;
    assert_eq!(bench.names(&session).await, ["session.created", "session.locale"]);
    assert_eq!(bench.story(&session).await[1], EventKind::LocaleNamed { locale: "pt-BR".to_owned() });
    assert!(bench.judged(&session, &[(Channel::Email, code(Channel::Email))]).await.session_verified);
    assert_eq!(bench.names(&session).await[2..], ["channel.verified", "contact.due", "session.verified"]);
}

pub async fn every_message_is_written_down_before_it_leaves(bench: Bench) {
    let session = bench.open(bench.opening(&[Channel::Email, Channel::Voice])).await;
    for challenge in bench.find(&session).await.challenges() {
        assert_eq!(challenge.message.attempt, Attempt::Sending);
        assert_eq!(challenge.status(), MessageStatus::Pending);
    }
}

pub async fn a_message_of_an_instant_provider_is_accepted_at_once(bench: Bench) {
    let mut open = bench.opening(&[Channel::Email]);
    open.session.challenges[0].instant = Some(ProviderName::new("sandbox"));
    let session = bench.open(open).await;
    let challenge = &session.challenges()[0];
    assert_eq!((challenge.status(), challenge.provider()), (MessageStatus::Sent, Some("sandbox")));
    assert_eq!(bench.names(&session).await, ["session.created", "message.sent"]);
}

pub async fn a_foreign_tenant_and_the_other_kind_of_key_see_nothing(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    let stranger = TenantId::mint(bench.now(), &SeededRng::new(99), Partition::of(5));
    for scope in [Scope { tenant: stranger, ..bench.scope }, Scope { keys: KeyKind::Test, ..bench.scope }] {
        assert_eq!(bench.store.find(scope, session.id()).await, Ok(None));
        assert_eq!(bench.store.list(scope, SessionFilter::default(), 10).await.unwrap().sessions, []);
        let verify = Verify { scope, ..bench.verify_step(&session, &[(Channel::Email, code(Channel::Email))]) };
        assert_eq!(fresh(bench.store.verify(verify).await.unwrap()), VerifyVerdict::Unknown);
        let resend = Resend { scope, ..bench.resend_step(&session) };
        assert_eq!(bench.try_resend(resend).await, SendAgainVerdict::Unknown);
        let cancel = Cancel { scope, ..bench.cancel_step(&session) };
        assert_eq!(fresh(bench.store.cancel(cancel).await.unwrap()), CancelVerdict::Unknown);
        let advance = Advance { scope, ..bench.advance_step(&session) };
        assert_eq!(fresh(bench.store.advance(advance).await.unwrap()), SendAgainVerdict::Unknown);
        let record = Record { scope, ..bench.record_step(&session, &[]) };
        assert_eq!(bench.store.record(record).await, Ok(RecordVerdict::Unknown));
        assert_eq!(bench.store.lapse(Lapse { scope, session: session.id(), given_up: None }).await, Ok(LapseVerdict::Settled));
    }
    assert_eq!(bench.find(&session).await, session);
}

fn ids(sessions: &[Session]) -> Vec<SessionId> {
    sessions.iter().map(Session::id).collect()
}

pub async fn a_list_shows_the_newest_first_and_goes_on_where_it_ended(bench: Bench) {
    let mut opened = Vec::new();
    for _ in 0..300 {
        bench.clock.advance(SECOND / 100);
        opened.push(bench.open(bench.opening(&[Channel::Email])).await.id());
    }
    opened.reverse();
    let mut listed = Vec::new();
    let mut filter = SessionFilter::default();
    loop {
        let page = bench.store.list(bench.scope, filter.clone(), 70).await.unwrap().sessions;
        let Some(last) = page.last() else { break };
        filter.before = Some(last.id());
        listed.extend(ids(&page));
    }
    assert_eq!(listed, opened);
    assert_eq!(bench.store.list(bench.scope, SessionFilter::default(), 0).await.unwrap().sessions, []);
}

pub async fn a_list_shows_only_what_its_filter_admits(bench: Bench) {
    let early = bench.sent(&[Channel::Email]).await;
    bench.clock.advance(MINUTE * 4);
    let by_sms = bench.sent(&[Channel::Sms]).await;
    bench.judged(&by_sms, &[(Channel::Sms, code(Channel::Sms))]).await;
    bench.clock.advance(MINUTE * 7);
    let late = bench.sent(&[Channel::Email, Channel::Sms]).await;
    let listed = async |filter: SessionFilter| ids(&bench.store.list(bench.scope, filter, 10).await.unwrap().sessions);

    let status = |status| SessionFilter { status: Some(status), ..SessionFilter::default() };
    assert_eq!(listed(status(SessionStatus::Expired)).await, [early.id()]);
    assert_eq!(listed(status(SessionStatus::Verified)).await, [by_sms.id()]);
    assert_eq!(listed(status(SessionStatus::Pending)).await, [late.id()]);
    let channel = |channel| SessionFilter { channel: Some(channel), ..SessionFilter::default() };
    assert_eq!(listed(channel(Channel::Sms)).await, [late.id(), by_sms.id()]);
    assert_eq!(listed(channel(Channel::Voice)).await, []);
    let from = SessionFilter { from: Some(by_sms.created_at()), ..SessionFilter::default() };
    assert_eq!(listed(from).await, [late.id(), by_sms.id()]);
    let to = SessionFilter { to: Some(by_sms.created_at()), ..SessionFilter::default() };
    assert_eq!(listed(to).await, [early.id()]);
}

pub async fn a_session_past_the_life_of_its_token_is_not_there(bench: Bench) {
    let session = bench.sent(&[Channel::Email]).await;
    bench.clock.advance(session.policy().life + TOKEN_LIFE - SECOND);
    assert_eq!(bench.find(&session).await.id(), session.id());
    bench.clock.advance(SECOND);
    assert_eq!(bench.store.find(bench.scope, session.id()).await, Ok(None));
    assert_eq!(bench.store.list(bench.scope, SessionFilter::default(), 10).await.unwrap().sessions, []);
    assert_eq!(bench.guess(&session, &[(Channel::Email, WRONG)]).await, VerifyVerdict::Unknown);
    assert_eq!(bench.try_resend(bench.resend_step(&session)).await, SendAgainVerdict::Unknown);
    assert_eq!(bench.cancel(&session).await, CancelVerdict::Unknown);
}

pub async fn the_log_is_read_on_from_where_one_stopped(bench: Bench) {
    for _ in 0..5 {
        bench.sent(&[Channel::Email]).await;
    }
    let partition = bench.scope.tenant.partition();
    let whole = bench.store.read_log(partition, 0, 100).await.unwrap().entries;
    assert_eq!(whole.len(), 10);
    assert!(whole.is_sorted_by(|one, next| one.sequence < next.sequence));
    let first = bench.store.read_log(partition, 0, 4).await.unwrap().entries;
    let rest = bench.store.read_log(partition, first[3].sequence, 100).await.unwrap().entries;
    assert_eq!([first, rest].concat(), whole);
    assert_eq!(bench.store.read_log(Partition::of(6), 0, 100).await, Ok(LogPage::default()));
}

pub async fn a_store_that_can_take_a_step_says_so(bench: Bench) {
    assert_eq!(bench.store.ready().await, Ok(()));
    let session = bench.sent(&[Channel::Email]).await;
    expect_verdict!(bench.cancel(&session).await, CancelVerdict::Canceled(_) => ());
}
