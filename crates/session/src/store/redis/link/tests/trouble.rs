use std::time::Duration;

use countersign_testing::redis::{Proxy, RedisServer};
use tokio::time::{Instant, sleep};

use super::super::{Call, LinkError, RedisSettings};
use super::{GUARDED, HOME, REFUSE, add, add_when_possible, adding, open, open_to, single};

/// So little time that a busy machine may need more: what such a link is asked before the trouble comes is asked until it is answered.
fn quick(url: String) -> RedisSettings {
    RedisSettings { per_try: Duration::from_millis(150), deadline: Duration::from_millis(400), ..RedisSettings::single(url) }
}

fn through(proxy: &Proxy) -> String {
    format!("redis://127.0.0.1:{}", proxy.port())
}

#[tokio::test]
async fn a_call_is_one_evalsha_and_nothing_else() {
    let server = RedisServer::start();
    let link = open_to(&server);
    assert_eq!(add(&link, HOME).await, Ok(1));
    let (evals, infos) = (server.calls("evalsha"), server.calls("script|load"));
    for sum in 2..=10 {
        assert_eq!(add(&link, HOME).await, Ok(sum));
    }
    assert_eq!((server.calls("evalsha") - evals, server.calls("script|load") - infos), (9, 0));
    assert_eq!(server.cli(&["GET", "{p07wp}sum"]), "10");
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_loaded_again() {
    let server = RedisServer::start();
    let link = open_to(&server);
    assert_eq!(add(&link, HOME).await, Ok(1));
    assert_eq!(server.cli(&["SCRIPT", "FLUSH"]), "OK");
    assert_eq!(add(&link, HOME).await, Ok(2));
}

#[tokio::test]
async fn a_killed_connection_is_made_anew() {
    let server = RedisServer::start();
    let link = open_to(&server);
    assert_eq!(add(&link, HOME).await, Ok(1));
    for sum in 2..=5 {
        let _killed = server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
        assert_eq!(add(&link, HOME).await, Ok(sum));
    }
}

#[tokio::test]
async fn calls_go_on_when_the_server_was_started_again() {
    let mut server = RedisServer::start();
    let link = open_to(&server);
    assert_eq!(add(&link, HOME).await, Ok(1));
    server.kill();
    server.restart();
    assert_eq!(add_when_possible(&link, HOME).await, 1);
}

#[tokio::test]
async fn a_call_whose_answer_was_lost_is_sent_once_more_and_never_again() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    let link = open(single(through(&proxy)));
    assert_eq!(add(&link, HOME).await, Ok(1));
    proxy.swallow_answers_to("EVALSHA", 1);
    // A step would have known its id.
    assert_eq!(add(&link, HOME).await, Ok(3));
}

#[tokio::test]
async fn nothing_is_sent_a_third_time() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    let link = open(single(through(&proxy)));
    assert_eq!(add(&link, HOME).await, Ok(1));
    proxy.swallow_answers_to("EVALSHA", 3);
    let failed = add(&link, HOME).await;
    assert!(matches!(failed, Err(LinkError::Unavailable(_))), "{failed:?}");
    assert_eq!((proxy.to_swallow(), server.cli(&["GET", "{p07wp}sum"]).as_str()), (1, "3"));
}

#[tokio::test]
async fn a_server_that_stands_still_takes_no_longer_than_the_deadline() {
    let server = RedisServer::start();
    let link = open(quick(server.url()));
    add_when_possible(&link, HOME).await;
    server.freeze();
    let started = Instant::now();
    let failed = add(&link, HOME).await;
    assert!(matches!(failed, Err(LinkError::Unavailable(_))), "{failed:?}");
    // It would be waited for again and again.
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    server.thaw();
    add_when_possible(&link, HOME).await;
}

#[tokio::test]
async fn a_server_that_is_away_for_long_is_not_waited_for() {
    let mut server = RedisServer::start();
    let settings = quick(server.url());
    let deadline = settings.deadline;
    let link = open(settings);
    add_when_possible(&link, HOME).await;
    server.kill();
    let down = Instant::now();
    while down.elapsed() < deadline * 2 {
        assert!(add(&link, HOME).await.is_err());
    }
    let started = Instant::now();
    for _ in 0..50 {
        let call = add(&link, HOME).await;
        assert!(matches!(call, Err(LinkError::Unavailable(_))), "{call:?}");
    }
    assert!(started.elapsed() < deadline * 25, "{:?}", started.elapsed());
    server.restart();
    add_when_possible(&link, HOME).await;
}

#[tokio::test]
async fn a_line_on_which_nobody_answers_is_given_up() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    let link = open(quick(through(&proxy)));
    add_when_possible(&link, HOME).await;
    let lines = proxy.accepted();
    proxy.hold(true);
    assert!(add(&link, HOME).await.is_err());
    proxy.hold(false);
    add_when_possible(&link, HOME).await;
    assert!(proxy.accepted() > lines, "{} lines", proxy.accepted());
}

#[tokio::test]
async fn more_calls_than_may_be_under_way_are_refused_at_once() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    let link = open(RedisSettings { in_flight: 2, ..single(through(&proxy)) });
    assert_eq!(add(&link, HOME).await, Ok(1));
    proxy.delay(Duration::from_millis(100));
    let (first, second, third) = tokio::join!(add(&link, HOME), add(&link, HOME), add(&link, HOME));
    assert_eq!((first.is_ok(), second.is_ok(), third), (true, true, Err(LinkError::Overloaded)));
    assert_eq!(add(&link, HOME).await, Ok(4));
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_any_more_makes_room() {
    let server = RedisServer::start();
    let link = open(RedisSettings { in_flight: 1, ..single(server.url()) });
    assert_eq!(add(&link, HOME).await, Ok(1));
    server.freeze();
    tokio::select! {
        call = add(&link, HOME) => panic!("nobody answers, not {call:?}"),
        () = sleep(Duration::from_millis(20)) => {}
    }
    server.thaw();
    // The one that was dropped was on its way.
    assert_eq!(add(&link, HOME).await, Ok(3));
}

#[tokio::test]
async fn what_a_script_refuses_is_passed_on_word_for_word() {
    let server = RedisServer::start();
    let link = open_to(&server);
    let mut call = Call::new(&GUARDED, HOME, 1, 0);
    call.key(&[b"meta"]);
    assert_eq!(link.call(&call).await.err(), Some(LinkError::Uninitialised("no meta".into())));
    let refused = LinkError::Refused { script: "refuse", word: "CORRUPT".into(), detail: "session".into() };
    assert_eq!(link.call(&Call::new(&REFUSE, HOME, 0, 0)).await.err(), Some(refused));
}

#[tokio::test]
async fn a_full_server_is_told_from_one_that_is_away() {
    let server = RedisServer::start();
    let link = open_to(&server);
    assert_eq!(add(&link, HOME).await, Ok(1));
    assert_eq!(server.cli(&["CONFIG", "SET", "maxmemory", "1"]), "OK");
    assert_eq!(add(&link, HOME).await, Err(LinkError::Full));
}

#[tokio::test]
async fn an_answer_that_nobody_foresaw_is_a_fault_and_shows_no_argument() {
    let server = RedisServer::start();
    let link = open_to(&server);
    assert_eq!(server.cli(&["LPUSH", "{p07wp}sum", "x"]), "1");
    let failed = link.call(&adding(HOME, 987_654)).await.expect_err("it is a list").to_string();
    assert!(failed.contains("WRONGTYPE") && !failed.contains("987654"), "{failed}");
}
