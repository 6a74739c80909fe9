use std::sync::Arc;

use super::*;

fn name() -> ProviderName {
    ProviderName::new("a")
}

#[tokio::test(start_paused = true)]
async fn no_second_has_more_turns_than_allowed_wherever_it_begins() {
    let (pace, name) = (OwnPace::default(), name());
    let begun = Instant::now();
    let mut taken = Vec::new();
    for _ in 0..3_000 {
        if pace.take(&name, 7).await == Turn::Now {
            taken.push(begun.elapsed());
        }
        sleep(Duration::from_millis(1)).await;
    }
    assert!((20..=21).contains(&taken.len()), "{taken:?}");
    for turns in taken.windows(8) {
        assert!(turns[7].saturating_sub(turns[0]) >= SECOND, "{turns:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_turn_is_told_to_the_moment_and_providers_do_not_count_for_each_other() {
    let (pace, name) = (OwnPace::default(), name());
    assert_eq!(pace.take(&name, 1).await, Turn::Now);
    sleep(Duration::from_millis(300)).await;
    assert_eq!(pace.take(&name, 1).await, Turn::In(Duration::from_millis(700)));
    assert_eq!(pace.take(&ProviderName::new("b"), 1).await, Turn::Now);
    sleep(Duration::from_millis(700)).await;
    assert_eq!(pace.take(&name, 1).await, Turn::Now);
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_are_served_in_order_and_nobody_jumps_the_line() {
    let (pace, throttle, name) = (Arc::new(OwnPace::default()), Arc::new(Throttle::new(2)), name());
    let begun = Instant::now();
    let last = begun + Duration::from_secs(60);
    let served = Arc::new(Mutex::new(Vec::new()));
    let mut waiting = tokio::task::JoinSet::new();
    for nth in 0..6 {
        let (pace, throttle, name, served) = (Arc::clone(&pace), Arc::clone(&throttle), name.clone(), Arc::clone(&served));
        waiting.spawn(async move {
            assert!(throttle.in_line(&name, &*pace, last).await);
            served.lock().unwrap().push((nth, begun.elapsed().as_secs()));
        });
        tokio::task::yield_now().await;
    }
    sleep(Duration::from_millis(500)).await;
    assert!(matches!(throttle.at_once(&name, &*pace).await, Turn::In(wait) if wait == Duration::from_secs(2)), "four wait");
    while waiting.join_next().await.transpose().unwrap().is_some() {}
    assert_eq!(*served.lock().unwrap(), [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (5, 2)]);
    sleep(SECOND).await;
    assert_eq!(throttle.at_once(&name, &*pace).await, Turn::Now);
}

#[tokio::test(start_paused = true)]
async fn who_would_come_too_late_does_not_wait_at_all() {
    let (pace, throttle, name) = (OwnPace::default(), Throttle::new(1), name());
    assert_eq!(throttle.at_once(&name, &pace).await, Turn::Now);
    let begun = Instant::now();
    assert!(!throttle.in_line(&name, &pace, begun + Duration::from_millis(900)).await);
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert!(throttle.in_line(&name, &pace, begun + SECOND).await);
    assert_eq!(begun.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_place_in_the_line_is_given_up_with_the_wait() {
    let (pace, throttle, name) = (OwnPace::default(), Throttle::new(1), name());
    assert_eq!(throttle.at_once(&name, &pace).await, Turn::Now);
    let waits = throttle.in_line(&name, &pace, Instant::now() + Duration::from_secs(60));
    assert!(tokio::time::timeout(Duration::from_millis(100), waits).await.is_err());
    sleep(SECOND).await;
    assert_eq!(throttle.at_once(&name, &pace).await, Turn::Now);
}
