//! Which provider a message goes to: failover, circuits, routes and paces, over real lines to two gateways.

use std::collections::BTreeSet;
use std::sync::Arc;

use countersign_tests::planes::is_shared;
use countersign_tests::{Answer, Client, Expected, ProviderDouble, Sent, Setup, TestApp, sms};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::admin_access::operator;

/// A number that nobody else here has, in the United States.
fn number(nth: usize) -> String {
    format!("+1202556{:04}", 1_000 + nth)
}

/// Everything is asked of one node, since each finds out by itself how providers fare.
struct Two {
    first: ProviderDouble,
    second: ProviderDouble,
    app: TestApp,
    client: Client,
    operator: Client,
}

impl Two {
    /// Text messages go to `first`, else to `second`.
    async fn spawn(change: impl FnOnce(Setup) -> Setup) -> Self {
        let (first, second) = (ProviderDouble::start(Expected::json()).await, ProviderDouble::start(Expected::json()).await);
        let setup = |setup: Setup| {
            let setup = setup.gateway("first", &first, &["sms"]).gateway("second", &second, &["sms"]).generous();
            change(setup.set("channels.sms.providers", vec!["first", "second"]))
        };
        let app = TestApp::builder().with(setup).spawn().await;
        let (client, operator) = (app.live().at_node(0), operator(&app, "read").await.at_node(0));
        Self { first, second, app, client, operator }
    }

    async fn send(&self, nth: usize) -> Sent {
        let sent = self.client.send(sms(&number(nth))).await;
        sent.reply.json("$.channels_sent.sms.success", true);
        sent
    }

    fn asked(&self) -> (usize, usize) {
        (self.first.requests().len(), self.second.requests().len())
    }

    /// What an operator is shown of a provider.
    async fn provider(&self, name: &str) -> Value {
        let shown = self.operator.get("/admin/v1/providers").await;
        let providers = shown.assert(200).at("$.providers");
        let found = providers.as_array().unwrap().iter().find(|provider| provider["name"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {providers:#}")).clone()
    }

    async fn assert_counted(&self, line: &str) {
        let page = self.app.admin().at_node(0).get("/metrics").await;
        let page = String::from_utf8_lossy(&page.assert(200).body).into_owned();
        assert!(page.lines().any(|counted| counted == line), "{line} is not in\n{page}");
    }
}

fn ids(double: &ProviderDouble) -> Vec<String> {
    double.requests().iter().map(|request| request.field("id")).collect()
}

fn breaker(setup: Setup, failures: u32, pause_seconds: u32) -> Setup {
    let setup = setup.set("delivery.breaker.failures", failures).set("delivery.breaker.probes", 2);
    setup.set("delivery.breaker.pause_seconds", pause_seconds)
}

#[tokio::test]
async fn a_first_provider_that_died_is_passed_over() {
    let two = Two::spawn(|setup| breaker(setup, 2, 600)).await;
    two.first.plan(Answer::With(503, "{}".to_owned())).plan(Answer::With(503, "{}".to_owned()));
    for nth in 0..5 {
        let sent = two.send(nth).await;
        let code = two.second.request(nth + 1).await.code();
        two.client.verify(&sent, &code).await.assert(200).json("$.verified", true);
    }
    assert_eq!(two.asked(), (2, 5));
    let shown = two.provider("first").await;
    let health = &shown["health"];
    assert_eq!(
        (&health["circuit"], &health["opened"], &health["in_flight"]),
        (&"open".into(), &1.into(), &0.into()),
        "{shown:#}"
    );
    assert_eq!((&health["recent_tries"], &health["recent_failures"]), (&2.into(), &2.into()), "{shown:#}");
    assert!(health["median_ms"].is_u64() && health["since"].is_string(), "{shown:#}");
    assert_eq!(shown["last_failure"]["diagnostic"], "HTTP 503", "{shown:#}");
    assert_eq!(two.provider("second").await["health"]["circuit"], "closed");
    two.assert_counted("countersign_provider_circuit{provider=\"first\"} 2").await;
    two.assert_counted("countersign_provider_circuit{provider=\"second\"} 0").await;
    two.assert_counted("countersign_provider_in_flight{provider=\"second\"} 0").await;
    two.assert_counted("countersign_provider_circuit_changes_total{provider=\"first\",to=\"open\"} 1").await;
}

#[tokio::test]
async fn a_first_provider_that_is_back_is_taken_up_again() {
    // Without a pause every message is a probe.
    let two = Two::spawn(|setup| breaker(setup, 3, 0)).await;
    for _ in 0..4 {
        two.first.plan(Answer::With(503, "{}".to_owned()));
    }
    for nth in 0..4 {
        two.send(nth).await;
        assert_eq!(two.asked(), (nth + 1, nth + 1));
    }
    let shown = two.provider("first").await;
    assert_eq!((&shown["health"]["circuit"], &shown["health"]["opened"]), (&"open".into(), &2.into()), "{shown:#}");
    two.send(4).await;
    assert_eq!(two.provider("first").await["health"]["circuit"], "half_open");
    two.send(5).await;
    two.send(6).await;
    assert_eq!(two.asked(), (7, 4));
    let shown = two.provider("first").await;
    assert_eq!(shown["health"]["circuit"], "closed", "{shown:#}");
    assert_eq!((&shown["tries"]["unknown"], &shown["tries"]["accepted"]), (&4.into(), &3.into()), "{shown:#}");
    two.assert_counted("countersign_provider_circuit_changes_total{provider=\"first\",to=\"closed\"} 1").await;
}

#[tokio::test]
async fn a_message_takes_the_first_route_that_it_fits() {
    let two = Two::spawn(|setup| setup.route("sms", &[("countries", vec!["GB"])], &["second"])).await;
    two.send(0).await;
    assert_eq!(two.asked(), (1, 0));
    two.client.send(sms("+442071838750")).await.reply.json("$.channels_sent.sms.success", true);
    assert_eq!(two.asked(), (1, 1));
    // The channel's own list does not follow a route's.
    two.second.plan(Answer::With(503, "{}".to_owned()));
    two.client.try_send(&sms("+442071838751")).await.error(502, "all_channels_failed");
    assert_eq!(two.asked(), (1, 2));
    let shown = two.operator.get("/admin/v1/providers").await;
    let channels = shown.at("$.channels");
    let channel = channels.as_array().unwrap().iter().find(|channel| channel["channel"] == "sms").unwrap();
    assert_eq!(channel["providers"], serde_json::json!(["first", "second"]), "{channel:#}");
    assert_eq!(channel["routes"][0]["countries"], serde_json::json!(["GB"]), "{channel:#}");
    assert_eq!(channel["routes"][0]["providers"], serde_json::json!(["second"]), "{channel:#}");
}

#[tokio::test]
async fn beyond_its_pace_a_provider_is_left_for_the_next() {
    /// More than the first would be given in the time that they take, also on a busy machine.
    const SENDS: usize = 60;
    let two = Two::spawn(|setup| setup.set("delivery.limits.first", 2)).await;
    let client = two.app.live();
    let mut sends = JoinSet::new();
    for nth in 0..SENDS {
        let client = client.clone();
        sends.spawn(async move { client.send(sms(&number(nth))).await });
    }
    for sent in sends.join_all().await {
        sent.reply.json("$.channels_sent.sms.success", true);
    }
    let (first, second) = two.asked();
    assert!(first >= 2 && second > 0 && first + second == SENDS, "{first} and {second}");
    if is_shared() {
        // Both nodes were asked, and the time by which Redis counts stands still.
        assert_eq!((first, second), (2, SENDS - 2));
    }
}

#[tokio::test]
async fn under_load_every_message_is_accounted_for_while_the_first_provider_stumbles() {
    const SENDS: usize = 200;
    const AT_ONCE: usize = 16;
    let two = Two::spawn(|setup| breaker(setup, 3, 0)).await;
    for nth in 0..40 {
        two.first.plan(if nth % 8 == 7 { Answer::Cut } else { Answer::With(503, "{}".to_owned()) });
    }
    let (client, next) = (two.client.clone(), Arc::new(std::sync::atomic::AtomicUsize::new(0)));
    let mut callers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (client, next) = (client.clone(), Arc::clone(&next));
        callers.spawn(async move {
            loop {
                let nth = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                if nth >= SENDS {
                    return;
                }
                client.send(sms(&number(nth))).await.reply.json("$.channels_sent.sms.success", true);
            }
        });
    }
    callers.join_all().await;
    // Of sends that come together one is a probe, of those that follow each other all are: some more until the first is taken up again.
    let mut sends = SENDS;
    while two.provider("first").await["health"]["circuit"] != "closed" {
        two.send(sends).await;
        sends += 1;
    }
    let (first, second) = (two.provider("first").await, two.provider("second").await);
    let tries =
        |provider: &Value, outcome: &str| provider["tries"][outcome].as_u64().map_or(0, |tries| usize::try_from(tries).unwrap());
    let spoilt = tries(&first, "unknown") + tries(&first, "unclear") + tries(&first, "unreachable");
    assert_eq!((spoilt, tries(&first, "unclear")), (40, 5), "{first:#}");
    assert_eq!(tries(&first, "accepted") + tries(&second, "accepted"), sends, "{first:#}\n{second:#}");
    assert_eq!(two.asked(), (spoilt + tries(&first, "accepted"), tries(&second, "accepted")));
    // Whoever was asked in vain handed on; nobody else heard of a message twice.
    let (at_first, at_second) = (ids(&two.first), ids(&two.second));
    let distinct = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<_>>();
    let (set_first, set_second) = (distinct(&at_first), distinct(&at_second));
    assert_eq!((set_first.len(), set_second.len()), (at_first.len(), at_second.len()), "a provider was asked twice");
    assert_eq!(set_first.intersection(&set_second).count(), spoilt);
    assert_eq!(set_first.union(&set_second).count(), sends);
    assert!(first["health"]["opened"].as_u64().unwrap() >= 1, "{first:#}");
    assert_eq!((&first["health"]["circuit"], &first["health"]["in_flight"]), (&"closed".into(), &0.into()), "{first:#}");
}
