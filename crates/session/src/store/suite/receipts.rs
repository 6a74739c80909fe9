//! Delivery receipts: what they say of messages, and how they find them.

use countersign_model::{
    Channel, EventKind, KeyKind, MessageId, MessageStatus, Mode, Partition, ProviderName, Reference, Report, Scope, SessionId,
    TenantId, Undelivered,
};

use super::bench::{Bench, DAY, MINUTE, POLICY, SECOND, UNREACHABLE, accepted, code, expect_verdict, unclear};
use crate::code::CodeSource;
use crate::session::{Session, SessionStatus};
use crate::store::{NamedMessage, ParkedReceipt, Receive, ReceiveVerdict, RecordVerdict};

const SMS: Channel = Channel::Sms;
const LATE: Report = Report::Undelivered(Undelivered::Expired);

fn provider(name: &str) -> ProviderName {
    ProviderName::new(name)
}

/// Names the newest message of a channel.
pub(crate) fn newest(session: &Session, channel: Channel) -> Reference {
    let message = session.challenges().iter().find(|challenge| challenge.channel == channel).unwrap().message.id;
    Reference { scope: session.scope(), session: session.id(), message }
}

/// A receipt for the newest message of a channel, from the provider of the bench.
pub(crate) fn receipt(session: &Session, channel: Channel, report: Report) -> Receive {
    let reference = newest(session, channel);
    Receive { reference, through: provider("house"), report, at: None, carrier: None }
}

pub(super) async fn changed(bench: &Bench, receipt: Receive) -> Session {
    expect_verdict!(bench.store.receive(receipt).await.unwrap(), ReceiveVerdict::Changed(session) => *session)
}

async fn status(bench: &Bench, session: &Session) -> (MessageStatus, Option<Undelivered>) {
    let session = bench.find(session).await;
    let message = &session.challenges()[0].message;
    (message.status, message.undelivered)
}

pub async fn a_receipt_says_that_a_message_arrived(bench: Bench) {
    let session = bench.sent(&[Channel::Email, SMS]).await;
    bench.clock.advance(SECOND);
    let at = Some(bench.now().minus(SECOND));
    let carrier = Some("310-260".to_owned());
    let told = changed(&bench, Receive { at, carrier: carrier.clone(), ..receipt(&session, SMS, Report::Delivered) }).await;
    let message = &told.challenges()[1].message;
    assert_eq!((message.status, message.delivered_at), (MessageStatus::Delivered, at), "as the provider says");
    assert_eq!(message.carrier, carrier);
    assert_eq!(bench.find(&session).await, told);
    assert_eq!(told.challenges()[0].status(), MessageStatus::Sent, "the other one is still under way");
    let delivered = EventKind::MessageDelivered { message: message.id, channel: SMS, at, carrier };
    assert_eq!(bench.story(&session).await.last(), Some(&delivered));
    assert!(bench.judged(&session, &[(SMS, code(SMS))]).await.session_verified);
}

pub async fn a_message_arrived_no_later_than_its_receipt_came(bench: Bench) {
    let session = bench.sent(&[SMS]).await;
    let fast = Some(bench.now().plus(MINUTE));
    let told = changed(&bench, Receive { at: fast, ..receipt(&session, SMS, Report::Delivered) }).await;
    assert_eq!(told.challenges()[0].message.delivered_at, Some(bench.now()), "its clock is fast");
}

pub async fn a_receipt_says_that_a_message_did_not_arrive(bench: Bench) {
    let session = bench.sent(&[SMS]).await;
    let told = changed(&bench, receipt(&session, SMS, LATE)).await;
    assert_eq!(bench.find(&session).await, told);
    assert_eq!(status(&bench, &session).await, (MessageStatus::Failed, Some(Undelivered::Expired)));
    let message = told.challenges()[0].message.id;
    let undelivered = EventKind::MessageUndelivered { message, channel: SMS, reason: Undelivered::Expired };
    assert_eq!(bench.story(&session).await.last(), Some(&undelivered));
    assert!(bench.judged(&session, &[(SMS, code(SMS))]).await.session_verified, "who has the code after all may use it");
}

pub async fn what_is_known_already_or_better_changes_nothing(bench: Bench) {
    let session = bench.sent(&[SMS]).await;
    let hear = async |report| bench.store.receive(receipt(&session, SMS, report)).await.unwrap();
    assert_eq!(hear(Report::Underway).await, ReceiveVerdict::Unchanged);
    expect_verdict!(hear(LATE).await, ReceiveVerdict::Changed(_) => ());
    assert_eq!(hear(Report::Undelivered(Undelivered::Rejected)).await, ReceiveVerdict::Unchanged);
    expect_verdict!(hear(Report::Delivered).await, ReceiveVerdict::Changed(_) => ());
    assert_eq!(status(&bench, &session).await, (MessageStatus::Delivered, None), "what failed may have arrived");
    assert_eq!(bench.find(&session).await.challenges()[0].message.delivered_at, Some(bench.now()));
    for late in [Report::Delivered, LATE, Report::Underway] {
        bench.clock.advance(SECOND);
        let before = bench.find(&session).await;
        assert_eq!(hear(late).await, ReceiveVerdict::Unchanged, "{late:?}");
        assert_eq!(bench.find(&session).await, before);
    }
    assert_eq!(bench.names(&session).await[2..], ["message.undelivered", "message.delivered"]);
}

pub async fn only_who_took_a_message_is_believed(bench: Bench) {
    let session = bench.sent(&[SMS]).await;
    let forged = Receive { through: provider("other"), ..receipt(&session, SMS, Report::Delivered) };
    assert_eq!(bench.store.receive(forged.clone()).await, Ok(ReceiveVerdict::Unknown));
    assert_eq!(status(&bench, &session).await, (MessageStatus::Sent, None));

    let unsure = bench.open(bench.opening(&[SMS])).await;
    bench.record(&unsure, &[(SMS, unclear())]).await;
    let told = changed(&bench, Receive { through: provider("other"), ..receipt(&unsure, SMS, Report::Delivered) }).await;
    assert_eq!(told.challenges()[0].status(), MessageStatus::Delivered, "nobody knows who has it");

    let failed = bench.open(bench.opening(&[Channel::Email, SMS])).await;
    bench.record(&failed, &[(Channel::Email, accepted()), (SMS, UNREACHABLE)]).await;
    assert_eq!(
        bench.store.receive(receipt(&failed, SMS, Report::Delivered)).await,
        Ok(ReceiveVerdict::Unknown),
        "nobody took it"
    );
}

pub async fn a_receipt_may_be_quicker_than_the_answer_of_its_provider(bench: Bench) {
    for (report, status) in [(Report::Delivered, MessageStatus::Delivered), (LATE, MessageStatus::Failed)] {
        let session = bench.open(bench.opening(&[SMS])).await;
        changed(&bench, Receive { through: provider("any"), ..receipt(&session, SMS, report) }).await;
        bench.clock.advance(SECOND);
        let session = bench.accept(&session).await;
        let message = &session.challenges()[0].message;
        assert_eq!((message.status, message.sent_at), (status, Some(bench.now())));
    }
}

pub async fn a_replaced_message_is_still_heard_of(bench: Bench) {
    let old = bench.sent(&[SMS]).await;
    let newest = bench.resent(&old).await;
    let newest = bench.accept(&newest).await;
    let forged = Receive { through: provider("other"), ..receipt(&old, SMS, Report::Delivered) };
    assert_eq!(bench.store.receive(forged).await, Ok(ReceiveVerdict::Unknown));
    let told = changed(&bench, receipt(&old, SMS, Report::Delivered)).await;
    assert_eq!(told.challenges(), newest.challenges(), "the newest message is another one");
    let delivered =
        EventKind::MessageDelivered { message: old.challenges()[0].message.id, channel: SMS, at: None, carrier: None };
    assert_eq!(bench.story(&old).await.last(), Some(&delivered));
    assert_eq!(bench.store.receive(receipt(&old, SMS, LATE)).await, Ok(ReceiveVerdict::Unchanged));
}

pub async fn who_took_a_replaced_message_may_be_said_late(bench: Bench) {
    let old = bench.open(bench.opening(&[SMS])).await;
    bench.resent(&old).await;
    let late = bench.record_step(&old, &[(SMS, accepted())]);
    expect_verdict!(bench.store.record(late).await.unwrap(), RecordVerdict::Recorded(..) => ());
    let forged = Receive { through: provider("other"), ..receipt(&old, SMS, Report::Delivered) };
    assert_eq!(bench.store.receive(forged).await, Ok(ReceiveVerdict::Unknown));
    changed(&bench, receipt(&old, SMS, Report::Delivered)).await;
}

pub async fn of_replaced_messages_the_newest_four_are_heard_of(bench: Bench) {
    let mut sends = vec![bench.sent(&[SMS]).await];
    for _ in 0..5 {
        // The user's limit is another sentence's affair.
        bench.clock.advance(MINUTE * 2);
        let resent = bench.resent(sends.last().unwrap()).await;
        sends.push(bench.accept(&resent).await);
    }
    let mut heard = Vec::new();
    for send in &sends {
        let verdict = bench.store.receive(receipt(send, SMS, Report::Delivered)).await.unwrap();
        heard.push(matches!(verdict, ReceiveVerdict::Changed(_)));
    }
    assert_eq!(heard, [false, true, true, true, true, true]);
}

pub async fn an_ended_session_hears_of_its_messages_and_nothing_follows(bench: Bench) {
    let [verified, canceled, expired] = [bench.sent(&[SMS]).await, bench.sent(&[SMS]).await, bench.sent(&[SMS]).await];
    bench.judged(&verified, &[(SMS, code(SMS))]).await;
    bench.cancel(&canceled).await;
    bench.clock.advance(POLICY.life);
    let ended = [(verified, SessionStatus::Verified), (canceled, SessionStatus::Canceled), (expired, SessionStatus::Expired)];
    for (session, stands) in ended {
        bench.lapse(&session).await;
        let told = changed(&bench, receipt(&session, SMS, Report::Delivered)).await;
        assert_eq!((told.status(bench.now()), told.challenges()[0].status()), (stands, MessageStatus::Delivered));
        assert_eq!(told.awaited(told.challenges()[0].message.id, bench.now()), None);
    }
    assert_eq!(bench.store.due(10).await.unwrap(), []);
}

pub async fn a_notice_hears_of_its_message(bench: Bench) {
    for instant in [None, Some(provider("house"))] {
        let mut open = bench.opening(&[SMS]);
        open.session.codes = CodeSource::Notice;
        open.session.challenges[0].instant = instant;
        let session = bench.open(open).await;
        let told = changed(&bench, receipt(&session, SMS, Report::Delivered)).await;
        assert_eq!(told.challenges()[0].status(), MessageStatus::Delivered);
        assert_eq!(bench.names(&session).await.last(), Some(&"message.delivered"));
    }
}

pub async fn of_a_message_one_can_learn_whether_it_is_being_handed_over(bench: Bench) {
    let mut notice = bench.opening(&[SMS]);
    notice.session.codes = CodeSource::Notice;
    for open in [notice, bench.opening(&[Channel::Email, SMS])] {
        let session = bench.open(open).await;
        let sending = newest(&session, SMS);
        assert_eq!(bench.store.is_sending(sending).await, Ok(true));
        let foreign = Scope { keys: KeyKind::Test, ..bench.scope };
        for other in [Reference { message: MessageId::from_bits(7), ..sending }, Reference { scope: foreign, ..sending }] {
            assert_eq!(bench.store.is_sending(other).await, Ok(false));
        }
        bench.record(&session, &[(SMS, unclear())]).await;
        assert_eq!(bench.store.is_sending(sending).await, Ok(false));
    }
}

pub async fn a_receipt_finds_its_session_in_the_scope_that_it_names_and_in_no_other(bench: Bench) {
    let own = bench.sent(&[SMS]).await;
    let mut scopes = Vec::new();
    for tenant in [bench.scope.tenant, TenantId::mint(bench.now(), &bench.rng, Partition::of(5))] {
        scopes.extend([KeyKind::Live, KeyKind::Test].map(|keys| Scope { tenant, keys }));
    }
    for scope in &scopes {
        let mut open = bench.opening(&[SMS]);
        open.session.scope = *scope;
        open.session.mode = Mode::Live;
        let session = bench.open(open).await;
        let known = receipt(&session, SMS, Report::Delivered);
        for foreign in scopes.iter().filter(|foreign| *foreign != scope) {
            let reference = Reference { scope: *foreign, ..known.reference };
            let astray = bench.store.receive(Receive { reference, ..known.clone() }).await;
            assert_eq!(astray, Ok(ReceiveVerdict::Unknown), "{scope:?} {foreign:?}");
        }
        let told = changed(&bench, known).await;
        assert_eq!((told.id(), told.scope()), (session.id(), *scope));
    }
    assert_eq!(status(&bench, &own).await, (MessageStatus::Sent, None));
}

pub async fn a_receipt_about_nothing_is_unknown(bench: Bench) {
    let known = receipt(&bench.sent(&[SMS]).await, SMS, Report::Delivered);
    let (now, rng, of) = (bench.now(), &bench.rng, known.reference);
    let stranger = TenantId::mint(now, rng, Partition::of(6));
    for reference in [
        Reference { session: SessionId::mint(now, rng, Partition::of(5)), ..of },
        Reference { session: SessionId::mint(now, rng, Partition::of(6)), ..of },
        Reference { message: MessageId::mint(now, rng, Partition::of(5)), ..of },
        Reference { scope: Scope { tenant: stranger, ..of.scope }, ..of },
    ] {
        assert_eq!(bench.store.receive(Receive { reference, ..known.clone() }).await, Ok(ReceiveVerdict::Unknown), "{reference}");
    }
    bench.clock.advance(DAY * 2);
    assert_eq!(bench.store.receive(known).await, Ok(ReceiveVerdict::Unknown), "forgotten by now");
}

fn parked(report: Report) -> ParkedReceipt {
    ParkedReceipt { report, at: None, carrier: Some("a network".into()) }
}

fn reference(bench: &Bench) -> Reference {
    let partition = Partition::of(5);
    Reference {
        scope: Scope { keys: KeyKind::Test, ..bench.scope },
        session: SessionId::mint(bench.now(), &bench.rng, partition),
        message: MessageId::mint(bench.now(), &bench.rng, partition),
    }
}

pub async fn a_message_is_found_by_what_its_provider_calls_it(bench: Bench) {
    let (store, house, message) = (&bench.store, provider("house"), NamedMessage::whole(reference(&bench)));
    let found = || Ok(Some(message.clone()));
    let long = "x".repeat(4_000);
    for id in ["7", long.as_str()] {
        assert_eq!(store.name_message(&house, id, &message).await.unwrap(), []);
        assert_eq!(store.find_message(&house, id, &parked(LATE)).await, found());
        assert_eq!(store.find_message(&provider("other"), id, &parked(LATE)).await, Ok(None));
    }
    bench.clock.advance(DAY * 3 - SECOND);
    assert_eq!(store.find_message(&house, "7", &parked(LATE)).await, found());
    bench.clock.advance(SECOND);
    assert_eq!(store.find_message(&house, "7", &parked(LATE)).await, Ok(None), "after 72 hours it means nothing");
    let newer = NamedMessage::whole(reference(&bench));
    assert_eq!(store.name_message(&house, "7", &newer).await.unwrap(), [parked(LATE)], "what came when nobody knew it was kept");
    assert_eq!(store.find_message(&house, "7", &parked(LATE)).await, Ok(Some(newer)));
}

pub async fn a_part_knows_its_message_and_the_other_parts(bench: Bench) {
    let (store, house) = (&bench.store, provider("house"));
    let message = NamedMessage { reference: reference(&bench), parts: vec!["7".to_owned(), "8".to_owned()] };
    let waits = ParkedReceipt { carrier: None, ..parked(LATE) };
    assert_eq!(store.find_message(&house, "8", &waits).await, Ok(None));
    assert_eq!(store.name_message(&house, "7", &message).await.unwrap(), []);
    assert_eq!(store.name_message(&house, "8", &message).await.unwrap(), [waits]);
    for id in ["7", "8"] {
        assert_eq!(store.find_message(&house, id, &parked(LATE)).await, Ok(Some(message.clone())));
    }
    let whole = NamedMessage::whole(message.reference);
    assert_eq!(store.name_message(&house, "8", &whole).await.unwrap(), [], "what waited was about a part");
    assert_eq!(store.find_message(&house, "8", &parked(LATE)).await, Ok(Some(whole)));
}

pub async fn a_receipt_that_comes_before_its_message_is_named_waits(bench: Bench) {
    let (store, house, message) = (&bench.store, provider("house"), NamedMessage::whole(reference(&bench)));
    for report in [Report::Underway, Report::Underway, Report::Delivered] {
        assert_eq!(store.find_message(&house, "7", &parked(report)).await, Ok(None));
    }
    let waited = [parked(Report::Underway), parked(Report::Delivered)];
    assert_eq!(store.name_message(&house, "7", &message).await.unwrap(), waited);
    assert_eq!(store.name_message(&house, "7", &message).await.unwrap(), waited, "a lost reply loses none");
    assert_eq!(
        store.name_message(&house, "7", &NamedMessage::whole(reference(&bench))).await.unwrap(),
        [],
        "they were about another message"
    );
}

pub async fn a_receipt_waits_for_ten_minutes_and_no_more_than_eight_wait(bench: Bench) {
    let (store, house) = (&bench.store, provider("house"));
    let old = ParkedReceipt { carrier: None, ..parked(LATE) };
    assert_eq!(store.find_message(&house, "7", &old).await, Ok(None));
    bench.clock.advance(MINUTE * 10);
    for nth in 0..10 {
        let one = ParkedReceipt { at: Some(bench.now().plus(SECOND * nth)), ..parked(Report::Underway) };
        assert_eq!(store.find_message(&house, "7", &one).await, Ok(None));
    }
    store.sweep().await.unwrap();
    let waited = store.name_message(&house, "7", &NamedMessage::whole(reference(&bench))).await.unwrap();
    let newest: Vec<_> = (2..10).map(|nth| Some(bench.now().plus(SECOND * nth))).collect();
    assert_eq!(waited.iter().map(|one| one.at).collect::<Vec<_>>(), newest);
}
