//! Lists over all time, from records that trail what has just happened.

use std::time::Duration;

use countersign_core::{Handle, HistoryFilter, IssueFilter, IssuePlace, Refusal, SessionState, ShownStatus};
use countersign_model::{Dialect, SessionId};

use crate::house::{House, code};

#[tokio::test]
async fn a_list_waits_until_the_records_know_what_its_caller_did() {
    let house = House::new().await;
    house.sent(Dialect::Kotp, 1, |_| {}).await.unwrap();
    let filter = HistoryFilter::default();
    let (page, ()) = tokio::join!(house.platform.history(&house.test, &filter, 0, 20), house.project());
    let page = page.unwrap();
    assert_eq!((page.rows.len(), page.total, page.lag), (1, 1, None));
}

#[tokio::test]
async fn a_list_says_how_far_it_trails_when_the_records_do_not_catch_up() {
    let house = House::hasty().await;
    house.sent(Dialect::Kotp, 1, |_| {}).await.unwrap();
    house.clock.advance(Duration::from_secs(7));
    let page = house.platform.history(&house.test, &HistoryFilter::default(), 0, 20).await.unwrap();
    assert_eq!((page.rows.len(), page.total, page.lag), (0, 0, Some(Duration::from_secs(7))));
}

#[tokio::test]
async fn a_list_counts_all_that_its_filter_lets_through() {
    let house = House::new().await;
    for to in 0..5 {
        let sent = house.sent(Dialect::Kotp, to, |_| {}).await.unwrap();
        if to < 2 {
            house.verify(Handle::Id(sent.session.id()), &code(&sent)).await.unwrap();
        }
        house.clock.advance(Duration::from_secs(1));
    }
    house.sent_by(&house.live, Dialect::Kotp, 9, |_| {}).await.unwrap();
    house.project().await;
    let verified = HistoryFilter { status: Some(ShownStatus::Verified), ..HistoryFilter::default() };
    let page = house.platform.history(&house.test, &verified, 1, 20).await.unwrap();
    assert_eq!((page.rows.len(), page.total), (1, 2));
    assert!(page.rows[0].verified && page.rows[0].status == ShownStatus::Verified && page.rows[0].sandbox);
    let all = house.platform.history(&house.test, &HistoryFilter::default(), 0, 2).await.unwrap();
    assert_eq!((all.rows.len(), all.total), (2, 5), "of the key's own mode");
    assert!(all.rows[0].created_at > all.rows[1].created_at, "newest first");
}

#[tokio::test]
async fn an_otp_is_found_long_after_its_session_is_forgotten() {
    let house = House::new().await;
    let sent = house.sent(Dialect::Kotp, 1, |_| {}).await.unwrap();
    let id = sent.session.id();
    house.verify(Handle::Id(id), &code(&sent)).await.unwrap();
    let young = house.platform.otp(&house.test, id).await.unwrap();
    house.project().await;
    house.clock.advance(Duration::from_hours(24 * 30));
    assert!(matches!(house.platform.status(&house.test, &Handle::Id(id)).await.unwrap_err(), Refusal::Unknown));
    assert_eq!(house.platform.otp(&house.test, id).await.unwrap(), young);
    assert_eq!(house.platform.issue(&house.test, id).await.unwrap().otp, young);
    assert!(matches!(house.platform.otp(&house.live, id).await.unwrap_err(), Refusal::Unknown));
    assert!(matches!(house.platform.otp(&house.test, SessionId::from_bits(5)).await.unwrap_err(), Refusal::Unknown));
}

#[tokio::test]
async fn issues_are_walked_through_by_their_places() {
    let house = House::new().await;
    for _ in 0..5 {
        house.sent(Dialect::Kotp, 1, |send| send.replaces = true).await.unwrap();
        house.clock.advance(Duration::from_secs(1));
    }
    house.project().await;
    let mut seen = Vec::new();
    let mut place: Option<IssuePlace> = None;
    loop {
        let page = house.platform.issues(&house.test, &IssueFilter::default(), place.as_ref(), 2).await.unwrap();
        seen.extend(page.rows.iter().map(|issue| issue.state));
        place = page.next.map(|next| next.to_string().parse().unwrap());
        if place.is_none() {
            break;
        }
    }
    let canceled = SessionState::Canceled;
    assert_eq!(seen, [SessionState::Pending, canceled, canceled, canceled, canceled]);
    let replaced = IssueFilter { state: Some(canceled), ..IssueFilter::default() };
    let page = house.platform.issues(&house.test, &replaced, None, 3).await.unwrap();
    assert_eq!(page.rows.len(), 3);
    let rest = house.platform.issues(&house.test, &replaced, page.next.as_ref(), 3).await.unwrap();
    assert_eq!((rest.rows.len(), rest.next), (1, None));
}
