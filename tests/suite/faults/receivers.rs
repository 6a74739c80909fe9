//! Receivers of webhooks that fail in every way: what happened is what the schedule says, and the delivery log shows it.

use std::sync::Arc;
use std::time::Duration;

use countersign_model::{EndpointId, SeededRng, TenantId, Timestamp, WebhookEvent};
use countersign_records::{Delivery, DeliveryAttempt, DeliveryFilter, DeliveryState, Records};
use countersign_tests::planes::SharedPlanes;
use countersign_tests::{NOW, Reaction, Receiver, TestApp, email, poll, subscribe};

/// What a receiver has for its answer: enough on a busy machine for one that does answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A server whose time stands still, on Redis and PostgreSQL, and its records.
struct Scene {
    app: TestApp,
    records: Records,
    tenant: TenantId,
}

impl Scene {
    /// A server that may post to these receivers.
    async fn set(receiver: &Receiver, others: &[&Receiver]) -> Self {
        let planes = tokio::task::spawn_blocking(SharedPlanes::start).await.unwrap();
        let dir = Arc::new(tempfile::tempdir().unwrap());
        planes.belong_to(dir.path());
        let key = planes.install(dir.path(), NOW, &SeededRng::new(20_260_115)).await;
        let ports: Vec<_> = others.iter().chain([&receiver]).map(|receiver| receiver.port()).collect();
        let setup = |setup| {
            receiver.allowed_by(setup).set("webhooks.allowed_ports", ports).set("webhooks.timeout_seconds", TIMEOUT.as_secs())
        };
        let app = TestApp::builder().with(setup).on(&dir, &[("test", &key)]).spawn().await;
        let records = planes.records().await;
        let tenant = records.tenants().list().await.unwrap().pop().unwrap().id;
        Self { app, records, tenant }
    }

    /// Has a receiver at an address hear of new sessions.
    async fn subscribe(&self, url: &str) -> EndpointId {
        subscribe(&self.records, self.tenant, url, &[WebhookEvent::SessionCreated], self.app.now()).await
    }

    /// The one delivery to an endpoint once it has been tried so often, and every try.
    async fn tried(&self, endpoint: EndpointId, times: usize) -> (Delivery, Vec<DeliveryAttempt>) {
        poll(&format!("attempt {times}"), async || {
            let filter = DeliveryFilter { endpoint: Some(endpoint), ..DeliveryFilter::default() };
            let mut found = self.records.webhook_deliveries().list(self.tenant, filter, 10).await.unwrap();
            let Some(delivery) = found.pop() else { return Err("no delivery".to_owned()) };
            let attempts = self.records.webhook_deliveries().attempts(delivery.id).await.unwrap();
            assert!(found.is_empty() && attempts.len() <= times, "{found:#?} {attempts:#?}");
            // The two are read one after the other.
            let is_told = delivery.attempts as usize == times && attempts.len() == times;
            if is_told { Ok((delivery, attempts)) } else { Err(format!("{delivery:#?} {attempts:#?}")) }
        })
        .await
    }

    /// Lets time pass up to a moment.
    fn advance_to(&self, moment: Timestamp) {
        self.app.advance(moment.since(self.app.now()));
    }
}

/// What each try came to.
fn outcomes(attempts: &[DeliveryAttempt]) -> Vec<(Option<u16>, Option<&str>)> {
    attempts.iter().map(|attempt| (attempt.status, attempt.error.as_deref())).collect()
}

/// How long after each try the next one began, against the schedule, which varies by a tenth.
#[track_caller]
fn kept(attempts: &[DeliveryAttempt], schedule: &[Duration]) {
    let gaps: Vec<_> = attempts.windows(2).map(|pair| pair[1].at.since(pair[0].at)).collect();
    assert_eq!(gaps.len(), schedule.len(), "{gaps:?}");
    for (gap, planned) in gaps.iter().zip(schedule) {
        assert!(*gap >= *planned * 9 / 10 && *gap <= *planned * 11 / 10, "{gap:?} for {planned:?}");
    }
}

const SECONDS_5: Duration = Duration::from_secs(5);
const MINUTES_5: Duration = Duration::from_mins(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_fails_and_asks_for_time_is_tried_again_when_it_said() {
    let receiver = Receiver::start().await;
    receiver.plan(Reaction::Status(500, Vec::new())).plan(Reaction::Status(503, vec!["Retry-After: 900".to_owned()]));
    let scene = Scene::set(&receiver, &[]).await;
    let endpoint = scene.subscribe(&receiver.url()).await;
    let sent = scene.app.send(email("ann@example.com")).await;
    scene.advance_to(scene.tried(endpoint, 1).await.0.next_at);
    scene.advance_to(scene.tried(endpoint, 2).await.0.next_at);
    let (delivery, attempts) = scene.tried(endpoint, 3).await;
    assert_eq!((delivery.state, delivery.event), (DeliveryState::Delivered, WebhookEvent::SessionCreated));
    let expected =
        [(Some(500), Some("the endpoint answered 500")), (Some(503), Some("the endpoint answered 503")), (Some(204), None)];
    assert_eq!(outcomes(&attempts), expected);
    kept(&attempts[..2], &[SECONDS_5]);
    assert_eq!(attempts[2].at.since(attempts[1].at), Duration::from_mins(15), "what it asked for");
    let posts = receiver.posts();
    assert!(posts.iter().all(|post| post.id == delivery.event_id && post.session() == sent.session_id), "{posts:?}");
    assert_eq!(posts.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_hangs_is_given_up_after_its_time_and_tried_again() {
    let receiver = Receiver::start().await;
    receiver.plan(Reaction::Hang).plan(Reaction::Hang);
    let scene = Scene::set(&receiver, &[]).await;
    let endpoint = scene.subscribe(&receiver.url()).await;
    scene.app.send(email("ann@example.com")).await;
    scene.advance_to(scene.tried(endpoint, 1).await.0.next_at);
    scene.advance_to(scene.tried(endpoint, 2).await.0.next_at);
    let (delivery, attempts) = scene.tried(endpoint, 3).await;
    assert_eq!(delivery.state, DeliveryState::Delivered);
    let late = (None, Some("the endpoint did not answer in time"));
    assert_eq!(outcomes(&attempts), [late, late, (Some(204), None)]);
    assert!(attempts[..2].iter().all(|attempt| attempt.took >= TIMEOUT), "{attempts:?}");
    kept(&attempts, &[SECONDS_5, MINUTES_5]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_led_to_a_private_address_by_a_redirect_or_by_name() {
    let (receiver, trap) = (Receiver::start().await, Receiver::start().await);
    receiver.plan(Reaction::Status(307, vec![format!("Location: {}", trap.url())]));
    receiver.plan(Reaction::Status(302, vec!["Location: http://169.254.169.254/latest/meta-data".to_owned()]));
    let scene = Scene::set(&receiver, &[&trap]).await;
    let endpoint = scene.subscribe(&receiver.url()).await;
    // The trap listens there too; that network is not among the allowed ones.
    let inside = scene.subscribe(&trap.url().replace("127.0.0.1", "127.0.0.2")).await;
    scene.app.send(email("ann@example.com")).await;
    scene.tried(inside, 1).await;
    scene.advance_to(scene.tried(endpoint, 1).await.0.next_at);
    scene.advance_to(scene.tried(endpoint, 2).await.0.next_at);
    let (delivery, attempts) = scene.tried(endpoint, 3).await;
    assert_eq!(delivery.state, DeliveryState::Delivered);
    let told = |status| (Some(status), format!("the endpoint answered {status}; redirects are not followed"));
    let found: Vec<_> = attempts[..2].iter().map(|it| (it.status, it.error.clone().unwrap_or_default())).collect();
    assert_eq!(found, [told(307), told(302)]);
    kept(&attempts, &[SECONDS_5, MINUTES_5]);
    let filter = DeliveryFilter { endpoint: Some(inside), ..DeliveryFilter::default() };
    let delivery = scene.records.webhook_deliveries().list(scene.tenant, filter, 1).await.unwrap().pop().unwrap();
    let attempts = scene.records.webhook_deliveries().attempts(delivery.id).await.unwrap();
    let refused = (None, Some("the host's address is not public (loopback)"));
    assert!(outcomes(&attempts).iter().all(|outcome| *outcome == refused), "{attempts:?}");
    assert_eq!(trap.posts().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_gone_is_left_alone() {
    let (receiver, other) = (Receiver::start().await, Receiver::start().await);
    receiver.always(Reaction::Status(410, Vec::new()));
    let scene = Scene::set(&receiver, &[&other]).await;
    let (gone, stays) = (scene.subscribe(&receiver.url()).await, scene.subscribe(&other.url()).await);
    scene.app.send(email("ann@example.com")).await;
    let (delivery, attempts) = scene.tried(gone, 1).await;
    assert_eq!(delivery.state, DeliveryState::Failed);
    assert_eq!(outcomes(&attempts), [(Some(410), Some("the endpoint answered 410: it is gone"))]);
    scene.tried(stays, 1).await;
    let endpoint = scene.records.webhook_endpoints().find(scene.tenant, gone).await.unwrap().unwrap();
    assert_eq!(endpoint.disabled.as_deref(), Some("gone"));
    // The next session is told of to the other one only.
    scene.app.send(email("bob@example.com")).await;
    poll("the other one hears of it", async || match other.posts().len() {
        2 => Ok(()),
        heard => Err(format!("{heard} posts")),
    })
    .await;
    let (delivery, _) = scene.tried(gone, 1).await;
    assert_eq!((delivery.state, receiver.posts().len()), (DeliveryState::Failed, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_down_for_an_hour_hears_of_everything_once_it_is_back() {
    let mut receiver = Receiver::start().await;
    let scene = Scene::set(&receiver, &[]).await;
    let endpoint = scene.subscribe(&receiver.url()).await;
    receiver.go_down().await;
    let down = scene.app.now();
    let sent = scene.app.send(email("ann@example.com")).await;
    for times in 1..=4 {
        let (delivery, _) = scene.tried(endpoint, times).await;
        assert_eq!(delivery.state, DeliveryState::Pending);
        if times < 4 {
            scene.advance_to(delivery.next_at);
        }
    }
    assert!(scene.app.now() < down.plus(Duration::from_hours(1)));
    scene.advance_to(down.plus(Duration::from_hours(1)));
    receiver.come_back();
    // Told of what it missed when its turn comes, and not before.
    let (delivery, _) = scene.tried(endpoint, 4).await;
    assert!(delivery.next_at > scene.app.now() && receiver.posts().is_empty());
    scene.advance_to(delivery.next_at);
    let (delivery, attempts) = scene.tried(endpoint, 5).await;
    assert_eq!(delivery.state, DeliveryState::Delivered);
    let nobody = (None, Some("cannot connect to the host"));
    assert_eq!(outcomes(&attempts), [nobody, nobody, nobody, nobody, (Some(204), None)]);
    kept(&attempts, &[SECONDS_5, MINUTES_5, Duration::from_mins(30), Duration::from_hours(2)]);
    let posts = receiver.posts();
    assert_eq!(
        posts.iter().map(|post| (post.id.as_str(), post.session())).collect::<Vec<_>>(),
        [(delivery.event_id.as_str(), sent.session_id.as_str())]
    );
}
