//! What sessions cost, and that nobody spends more than there is.

use countersign_model::{AllFailed, Channel, EventKind, LogEntry, Money, ProviderName, VerificationMode};

use super::bench::{Bench, LEASE, MINUTE, POLICY, REFUSED, UNREACHABLE, accepted, code, expect_verdict, fresh, unclear};
use crate::session::{Billing, Delivery, Session};
use crate::store::{CreditVerdict, Lapse, Open, OpenVerdict, SendAgainVerdict};

const EMAIL: Channel = Channel::Email;

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

/// A session on these channels with a fee of 0.10 and messages of 0.30 each.
fn billed(bench: &Bench, channels: &[Channel]) -> Open {
    let mut open = bench.opening(channels);
    open.session.billing = Some(Billing { fee: money("0.10"), low_at: Some(money("0.50")) });
    for challenge in &mut open.session.challenges {
        challenge.cost = money("0.30");
    }
    open
}

fn told(balance: &str, held: &str) -> (String, String) {
    (balance.to_owned(), held.to_owned())
}

async fn captured(bench: &Bench, session: &Session) -> Vec<Money> {
    let story = bench.story(session).await;
    story.iter().filter_map(|event| if let EventKind::Captured { amount, .. } = event { Some(*amount) } else { None }).collect()
}

pub async fn an_open_holds_and_an_accepted_message_captures(bench: Bench) {
    bench.credit(1, "2").await;
    let session = bench.open(billed(&bench, &[EMAIL])).await;
    assert_eq!(bench.balance().await, told("2.00", "0.40"));
    let session = bench.accept(&session).await;
    assert_eq!(bench.balance().await, told("1.60", "0.00"));
    assert_eq!(session.cost(), Some(money("0.40")));
    assert_eq!(captured(&bench, &session).await, [money("0.10"), money("0.30")]);
}

pub async fn a_failed_message_gives_back_what_was_held_for_it(bench: Bench) {
    bench.credit(1, "2").await;
    let session = bench.open(billed(&bench, &[EMAIL, Channel::Sms])).await;
    assert_eq!(bench.balance().await, told("2.00", "0.70"));
    let (session, _) = bench.record(&session, &[(EMAIL, accepted()), (Channel::Sms, UNREACHABLE)]).await;
    assert_eq!(bench.balance().await, told("1.60", "0.00"));
    assert_eq!(session.cost(), Some(money("0.40")));
}

pub async fn a_session_of_which_nothing_went_out_costs_nothing(bench: Bench) {
    bench.credit(1, "2").await;
    let session = bench.open(billed(&bench, &[EMAIL])).await;
    bench.record(&session, &[(EMAIL, REFUSED)]).await;
    assert_eq!(bench.balance().await, told("2.00", "0.00"));
    assert_eq!(captured(&bench, &session).await, []);
}

pub async fn where_all_channels_are_needed_one_refusal_makes_the_others_cost_nothing(bench: Bench) {
    bench.credit(1, "2").await;
    let mut open = billed(&bench, &[EMAIL, Channel::Sms, Channel::Voice]);
    open.session.policy.verification_mode = VerificationMode::All;
    let session = bench.open(open).await;
    let outcomes = [(EMAIL, accepted()), (Channel::Sms, REFUSED), (Channel::Voice, unclear())];
    let (session, delivery) = bench.record(&session, &outcomes).await;
    assert_eq!(delivery, Delivery::NothingSent);
    assert_eq!(bench.balance().await, told("2.00", "0.00"));
    assert_eq!((session.cost(), captured(&bench, &session).await), (Some(Money::ZERO), vec![]));
}

pub async fn where_all_channels_are_needed_a_kept_session_costs_what_went_out(bench: Bench) {
    bench.credit(1, "2").await;
    let mut open = billed(&bench, &[EMAIL, Channel::Sms]);
    open.session.policy.verification_mode = VerificationMode::All;
    open.session.policy.all_failed = AllFailed::Session;
    let session = bench.open(open).await;
    bench.record(&session, &[(EMAIL, accepted()), (Channel::Sms, REFUSED)]).await;
    assert_eq!(bench.balance().await, told("1.60", "0.00"));
}

pub async fn where_all_channels_are_needed_a_refused_resend_costs_what_went_out(bench: Bench) {
    bench.credit(1, "2").await;
    let mut open = billed(&bench, &[EMAIL, Channel::Sms]);
    open.session.policy.verification_mode = VerificationMode::All;
    let session = bench.open(open).await;
    let (session, _) = bench.record(&session, &[(EMAIL, accepted()), (Channel::Sms, accepted())]).await;
    let again = bench.resent(&session).await;
    bench.record(&again, &[(EMAIL, accepted()), (Channel::Sms, REFUSED)]).await;
    assert_eq!(bench.balance().await, told("1.00", "0.00"), "the new code of one channel arrived and is good");
}

pub async fn an_unclear_message_counts_as_sent(bench: Bench) {
    bench.credit(1, "2").await;
    let session = bench.open(billed(&bench, &[EMAIL])).await;
    bench.record(&session, &[(EMAIL, unclear())]).await;
    assert_eq!(bench.balance().await, told("1.60", "0.00"));
    bench.record(&session, &[(EMAIL, accepted())]).await;
    assert_eq!(bench.balance().await, told("1.60", "0.00"));
}

pub async fn what_nobody_reports_on_is_captured_when_its_lease_is_over(bench: Bench) {
    bench.credit(1, "2").await;
    let session = bench.open(billed(&bench, &[EMAIL])).await;
    bench.clock.advance(LEASE);
    bench.lapse(&session).await;
    assert_eq!(bench.balance().await, told("1.60", "0.00"));
}

pub async fn an_instant_message_is_captured_as_it_is_opened(bench: Bench) {
    bench.credit(1, "2").await;
    let mut open = billed(&bench, &[EMAIL]);
    open.session.challenges[0].instant = Some(ProviderName::new("console"));
    bench.open(open).await;
    assert_eq!(bench.balance().await, told("1.60", "0.00"));
}

pub async fn nothing_is_opened_or_counted_that_is_not_paid_for(bench: Bench) {
    bench.credit(1, "0.39").await;
    for _ in 0..10 {
        let mut open = billed(&bench, &[EMAIL]);
        open.session.users = bench.opening_for(1, &[EMAIL]).session.users;
        assert_eq!(bench.try_open(open).await, OpenVerdict::InsufficientBalance);
    }
    assert_eq!(bench.log().await, []);
    assert_eq!(bench.balance().await, told("0.39", "0.00"));
    bench.credit(2, "0.01").await;
    let mut open = billed(&bench, &[EMAIL]);
    open.session.users = bench.opening_for(1, &[EMAIL]).session.users;
    bench.open(open).await;
    assert_eq!(bench.balance().await, told("0.40", "0.40"));
}

pub async fn a_resend_pays_for_its_message_but_not_for_the_fee_again(bench: Bench) {
    bench.credit(1, "2").await;
    let session = bench.open(billed(&bench, &[EMAIL])).await;
    let session = bench.accept(&session).await;
    let again = bench.resent(&session).await;
    assert_eq!(bench.balance().await, told("1.60", "0.30"));
    let again = bench.accept(&again).await;
    assert_eq!(bench.balance().await, told("1.30", "0.00"));
    assert_eq!(again.cost(), Some(money("0.70")));
}

pub async fn a_resend_that_is_not_paid_for_changes_nothing(bench: Bench) {
    bench.credit(1, "0.40").await;
    let session = bench.open(billed(&bench, &[EMAIL])).await;
    let session = bench.accept(&session).await;
    bench.clock.advance(POLICY.resend_after);
    let verdict = bench.try_resend(bench.resend_step(&session)).await;
    expect_verdict!(verdict, SendAgainVerdict::InsufficientBalance(_) => ());
    assert_eq!(bench.find(&session).await, session);
    bench.judged(&session, &[(EMAIL, code(EMAIL))]).await;
}

pub async fn a_fallback_that_is_not_paid_for_gives_its_turn_up(bench: Bench) {
    bench.credit(1, "0.40").await;
    let mut open = billed(&bench, &[EMAIL]);
    let mut planned = bench.planned(Channel::Sms, MINUTE);
    planned.cost = money("0.30");
    open.session.fallback = vec![planned];
    let session = bench.open(open).await;
    let session = bench.accept(&session).await;
    let verdict = fresh(bench.store.advance(bench.advance_step(&session)).await.unwrap());
    let left = expect_verdict!(verdict, SendAgainVerdict::InsufficientBalance(session) => session);
    assert_eq!(left.next_fallback(), None);
    assert_eq!(bench.balance().await, told("0.00", "0.00"));
}

pub async fn the_fee_is_kept_for_a_fallback_that_is_still_to_come(bench: Bench) {
    bench.credit(1, "2").await;
    let mut open = billed(&bench, &[EMAIL]);
    open.session.fallback = vec![bench.planned(Channel::Sms, MINUTE)];
    let session = bench.open(open).await;
    bench.record(&session, &[(EMAIL, UNREACHABLE)]).await;
    assert_eq!(bench.balance().await, told("2.00", "0.10"));
    bench.clock.advance(POLICY.life);
    bench.store.lapse(Lapse { scope: bench.scope, session: session.id(), given_up: None }).await.unwrap();
    assert_eq!(bench.balance().await, told("2.00", "0.00"));
}

pub async fn a_message_whose_place_a_resend_takes_counts_as_sent(bench: Bench) {
    bench.credit(1, "2").await;
    let session = bench.open(billed(&bench, &[EMAIL])).await;
    let again = bench.resent(&session).await;
    assert_eq!(bench.balance().await, told("1.60", "0.30"));
    bench.record(&session, &[(EMAIL, accepted())]).await;
    assert_eq!(bench.balance().await, told("1.60", "0.30"));
    bench.accept(&again).await;
    assert_eq!(bench.balance().await, told("1.30", "0.00"));
}

pub async fn a_cancelled_session_gives_the_fee_back_once_nothing_is_on_its_way(bench: Bench) {
    bench.credit(1, "2").await;
    let session = bench.open(billed(&bench, &[EMAIL])).await;
    bench.cancel(&session).await;
    assert_eq!(bench.balance().await, told("2.00", "0.40"));
    bench.record(&session, &[(EMAIL, UNREACHABLE)]).await;
    assert_eq!(bench.balance().await, told("2.00", "0.00"));
}

pub async fn credits_are_taken_in_order_and_once(bench: Bench) {
    assert_eq!(bench.credit(2, "1").await, CreditVerdict::Gap { next: 1 });
    expect_verdict!(bench.credit(1, "1").await, CreditVerdict::Credited(balance) => assert_eq!(balance.balance, money("1")));
    expect_verdict!(bench.credit(1, "1").await, CreditVerdict::Before(balance) => assert_eq!(balance.balance, money("1")));
    expect_verdict!(bench.credit(2, "-0.25").await, CreditVerdict::Credited(balance) => assert_eq!(balance.balance, money("0.75")));
    expect_verdict!(bench.credit(3, "-5").await, CreditVerdict::Short(_) => ());
    expect_verdict!(bench.credit(4, "0.25").await, CreditVerdict::Credited(_) => ());
    expect_verdict!(bench.credit(5, "9000000000").await, CreditVerdict::Short(_) => ());
    expect_verdict!(bench.credit(4, "0.25").await, CreditVerdict::Before(balance) => assert_eq!(balance.balance, money("1")));
    expect_verdict!(bench.credit(3, "-5").await, CreditVerdict::Short(balance) => assert_eq!(balance.balance, money("1")));
    expect_verdict!(bench.credit(6, "0.25").await, CreditVerdict::Credited(balance) => assert_eq!(balance.credits, 6));
}

pub async fn the_tenant_hears_once_that_its_balance_is_low(bench: Bench) {
    bench.credit(1, "1.20").await;
    let mut heard = Vec::new();
    for _ in 0..3 {
        let session = bench.open(billed(&bench, &[EMAIL])).await;
        let session = bench.accept(&session).await;
        heard.push(bench.names(&session).await.contains(&"wallet.low"));
    }
    assert_eq!(heard, [false, true, false]);
    bench.credit(2, "1").await;
    for low in [false, true] {
        let session = bench.open(billed(&bench, &[EMAIL])).await;
        let session = bench.accept(&session).await;
        assert_eq!(bench.names(&session).await.contains(&"wallet.low"), low);
    }
}

pub async fn a_cut_writes_the_balance_into_the_log(bench: Bench) {
    bench.credit(1, "2").await;
    bench.open(billed(&bench, &[EMAIL])).await;
    bench.store.cut(bench.scope.tenant).await.unwrap();
    bench.store.cut(bench.scope.tenant).await.unwrap();
    let log: Vec<LogEntry> = bench.log().await;
    let cut = EventKind::BalanceCut { balance: money("2"), held: money("0.40"), credits: 1 };
    let cuts: Vec<_> = log.iter().flat_map(|entry| &entry.events).filter(|event| event.kind == cut).collect();
    assert_eq!(cuts.iter().map(|event| event.number).collect::<Vec<_>>(), [1, 2]);
}

pub async fn a_rebuilt_balance_keeps_what_sessions_hold(bench: Bench) {
    bench.credit(1, "2").await;
    let first = bench.open(billed(&bench, &[EMAIL])).await;
    bench.accept(&first).await;
    bench.open(billed(&bench, &[EMAIL])).await;
    let balance = bench.store.rebuild(bench.scope.tenant, money("7"), 3).await.unwrap();
    assert_eq!((balance.balance, balance.held, balance.credits), (money("7"), money("0.40"), 3));
    assert_eq!(bench.balance().await, told("7.00", "0.40"));
    expect_verdict!(bench.credit(4, "1").await, CreditVerdict::Credited(_) => ());
}

pub async fn of_fifty_racing_opens_as_many_as_are_paid_for_are_let_through(bench: Bench) {
    bench.credit(1, "4.10").await;
    let racing: Vec<_> = (0..50)
        .map(|_| {
            let (store, open) = (std::sync::Arc::clone(&bench.store), billed(&bench, &[EMAIL]));
            tokio::spawn(async move { fresh(store.open(open).await.unwrap()) })
        })
        .collect();
    let mut opened = 0;
    for open in racing {
        opened += u32::from(matches!(open.await.unwrap(), OpenVerdict::Opened(_)));
    }
    assert_eq!(opened, 10);
    assert_eq!(bench.balance().await, told("4.10", "4.00"));
}
