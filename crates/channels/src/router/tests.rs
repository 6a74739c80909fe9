use std::sync::Mutex;

use async_trait::async_trait;
use countersign_model::{Autofill, FailureReason};
use tokio::time::Instant;

use super::*;
use crate::config::{BreakerConfig, DeliveryConfig, OnUnclear};
use crate::provider::Diagnostic;
use crate::receipts::Receipts;
use crate::testing::{LogTrap, outgoing};

const NOTE: Diagnostic = Diagnostic::Note("scripted");

/// What a scripted provider does when it is asked to send.
#[derive(Clone)]
enum Play {
    Answer(TryOutcome),
    AnswerAfter(u64, TryOutcome),
    Hang,
    Panic,
}

struct Scripted {
    name: ProviderName,
    play: Play,
    is_instant: bool,
    calls: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Provider for Scripted {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn serves(&self, _: Channel) -> bool {
        true
    }

    fn is_instant(&self) -> bool {
        self.is_instant
    }

    async fn send(&self, _: &Rendered) -> TryOutcome {
        self.calls.lock().unwrap().push(self.name.to_string());
        match &self.play {
            Play::Answer(outcome) => outcome.clone(),
            Play::AnswerAfter(seconds, outcome) => {
                tokio::time::sleep(Duration::from_secs(*seconds)).await;
                outcome.clone()
            }
            Play::Hang => std::future::pending().await,
            Play::Panic => panic!("a provider with a defect"),
        }
    }

    async fn check(&self) -> Result<(), CheckError> {
        match self.play {
            Play::Answer(_) | Play::AnswerAfter(..) => Ok(()),
            Play::Hang => std::future::pending().await,
            Play::Panic => panic!("a provider with a defect"),
        }
    }

    fn receipts(&self) -> Option<&dyn Receipts> {
        None
    }

    fn tells(&self) -> Tells {
        Tells::Nothing
    }

    async fn keep_up(&self) {}
}

/// Keeps what it is told of tries.
#[derive(Default)]
struct Notes(Mutex<Vec<(String, Channel, &'static str, Duration)>>);

impl Observer for Notes {
    fn tried(&self, provider: &ProviderName, channel: Channel, outcome: &'static str, elapsed: Duration) {
        self.0.lock().unwrap().push((provider.to_string(), channel, outcome, elapsed));
    }

    fn in_flight(&self, _: &ProviderName, _: i64) {}

    fn circuit(&self, _: &ProviderName, _: CircuitState) {}
}

struct Stage {
    router: Router,
    calls: Arc<Mutex<Vec<String>>>,
    notes: Arc<Notes>,
}

impl Stage {
    /// SMS goes to the plays in order, named `a`, `b`, `c`.
    fn new(plays: &[Play]) -> Self {
        Self::with([(Channel::Sms, plays)], DeliveryConfig::default())
    }

    /// The same with providers that are final at once, or claim to be.
    fn instant(plays: &[Play]) -> Self {
        Self::of([(Channel::Sms, plays)], DeliveryConfig::default(), true)
    }

    fn with<'a>(channels: impl IntoIterator<Item = (Channel, &'a [Play])>, delivery: DeliveryConfig) -> Self {
        Self::of(channels, delivery, false)
    }

    fn of<'a>(channels: impl IntoIterator<Item = (Channel, &'a [Play])>, delivery: DeliveryConfig, is_instant: bool) -> Self {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::new(Notes::default());
        let ways_out = channels.into_iter().map(|(channel, plays)| {
            let providers = plays.iter().zip(["a", "b", "c"]).map(|(play, name)| {
                let name = ProviderName::new(name);
                Arc::new(Scripted { name, play: play.clone(), is_instant, calls: Arc::clone(&calls) }) as Arc<dyn Provider>
            });
            (channel, providers.collect())
        });
        let router = Router::new(Routes::of(ways_out, delivery, 2), notes.clone());
        Self { router, calls, notes }
    }

    async fn deliver(&self, channels: &[Channel]) -> Vec<Attempt> {
        let messages = channels.iter().map(|&channel| self.router.prepare(outgoing(channel)).unwrap()).collect();
        let ended = self.router.deliver(messages).await;
        assert!(ended.iter().map(|(_, channel, _)| channel).eq(channels), "{ended:?}");
        ended.into_iter().map(|(_, _, attempt)| attempt).collect()
    }

    async fn sms(&self) -> Attempt {
        self.deliver(&[Channel::Sms]).await.remove(0)
    }

    fn calls(&self) -> String {
        self.calls.lock().unwrap().concat()
    }
}

fn accepted() -> TryOutcome {
    TryOutcome::Accepted { provider_id: Some("id-1".to_owned()) }
}

fn accepted_by(name: &str) -> Attempt {
    Attempt::Accepted { provider: ProviderName::new(name), provider_id: Some("id-1".to_owned()) }
}

fn unclear_at(name: &str) -> Attempt {
    Attempt::Unclear { provider: Some(ProviderName::new(name)) }
}

fn answer(outcome: TryOutcome) -> Play {
    Play::Answer(outcome)
}

#[tokio::test]
async fn the_first_provider_that_takes_a_message_is_the_last_one_asked() {
    let stage = Stage::new(&[answer(accepted()), answer(accepted())]);
    assert_eq!(stage.sms().await, accepted_by("a"));
    assert_eq!(stage.calls(), "a");
}

#[tokio::test]
async fn whatever_is_not_certainly_final_goes_on_to_the_next_provider() {
    use TryOutcome::{Misconfigured, Throttled, Unclear, Unknown, Unreachable};
    for outcome in [Throttled(NOTE), Unreachable(NOTE), Misconfigured(NOTE), Unknown(NOTE), Unclear(NOTE)] {
        let stage = Stage::new(&[answer(outcome.clone()), answer(accepted())]);
        assert_eq!(stage.sms().await, accepted_by("b"), "{outcome:?}");
        assert_eq!(stage.calls(), "ab", "{outcome:?}");
    }
}

#[tokio::test]
async fn a_refused_recipient_is_refused_for_good() {
    let stage = Stage::new(&[answer(TryOutcome::Refused(NOTE)), answer(accepted())]);
    assert_eq!(stage.sms().await, Attempt::Failed(FailureReason::Refused));
    assert_eq!(stage.calls(), "a");
}

#[tokio::test]
async fn a_refusal_after_a_try_that_may_have_gone_out_leaves_it_unclear() {
    let stage = Stage::new(&[answer(TryOutcome::Unclear(NOTE)), answer(TryOutcome::Refused(NOTE)), answer(accepted())]);
    assert_eq!(stage.sms().await, unclear_at("a"));
    assert_eq!(stage.calls(), "ab");
}

#[tokio::test]
async fn what_nobody_took_fails_for_the_reason_that_holds_for_all() {
    use TryOutcome::{Misconfigured, Throttled, Unknown, Unreachable};
    let cases: [(&[TryOutcome], FailureReason); 6] = [
        (&[Unreachable(NOTE), Unreachable(NOTE)], FailureReason::Unreachable),
        (&[Throttled(NOTE), Throttled(NOTE)], FailureReason::Throttled),
        (&[Throttled(NOTE), Unreachable(NOTE)], FailureReason::Throttled),
        (&[Throttled(NOTE), Unknown(NOTE)], FailureReason::ProviderUnavailable),
        (&[Misconfigured(NOTE), Unreachable(NOTE)], FailureReason::ProviderUnavailable),
        (&[], FailureReason::ProviderUnavailable),
    ];
    for (outcomes, reason) in cases {
        let plays: Vec<_> = outcomes.iter().cloned().map(Play::Answer).collect();
        assert_eq!(Stage::new(&plays).sms().await, Attempt::Failed(reason), "{outcomes:?}");
    }
}

#[tokio::test]
async fn one_unclear_try_makes_a_message_unclear_that_nobody_took() {
    let stage = Stage::new(&[answer(TryOutcome::Unclear(NOTE)), answer(TryOutcome::Unreachable(NOTE))]);
    assert_eq!(stage.sms().await, unclear_at("a"));
    assert_eq!(stage.calls(), "ab");
}

#[tokio::test]
async fn where_a_second_message_must_not_be_risked_an_unclear_try_is_the_last() {
    let delivery = DeliveryConfig { on_unclear: OnUnclear::Stop, ..DeliveryConfig::default() };
    let plays = [answer(TryOutcome::Unreachable(NOTE)), answer(TryOutcome::Unclear(NOTE)), answer(accepted())];
    let stage = Stage::with([(Channel::Sms, &plays[..])], delivery);
    assert_eq!(stage.sms().await, unclear_at("b"));
    assert_eq!(stage.calls(), "ab");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_has_the_time_of_one_try() {
    let stage = Stage::new(&[Play::Hang, answer(accepted())]);
    let started = Instant::now();
    assert_eq!(stage.sms().await, accepted_by("b"));
    assert_eq!(started.elapsed().as_secs(), 8);
    let notes = stage.notes.0.lock().unwrap();
    assert_eq!((notes[0].0.as_str(), notes[0].2, notes[0].3.as_secs()), ("a", "unclear", 8));
    assert_eq!((notes[1].0.as_str(), notes[1].1, notes[1].2), ("b", Channel::Sms, "accepted"));
}

#[tokio::test(start_paused = true)]
async fn the_observer_is_told_of_every_try_by_whom_on_what_channel_and_for_how_long() {
    let plays = [Play::AnswerAfter(3, TryOutcome::Unknown(NOTE)), Play::AnswerAfter(2, accepted())];
    let stage = Stage::with([Channel::Sms, Channel::Email].map(|channel| (channel, &plays[..])), DeliveryConfig::default());
    stage.deliver(&[Channel::Sms]).await;
    stage.deliver(&[Channel::Email]).await;
    let of = |channel| {
        [("a", "unknown", 3), ("b", "accepted", 2)]
            .map(|(name, outcome, seconds)| (name.to_owned(), channel, outcome, Duration::from_secs(seconds)))
    };
    assert_eq!(*stage.notes.0.lock().unwrap(), [of(Channel::Sms), of(Channel::Email)].concat());
}

#[tokio::test(start_paused = true)]
async fn all_tries_together_end_at_the_deadline() {
    let stage = Stage::new(&[Play::Hang, Play::Hang, Play::AnswerAfter(6, accepted())]);
    let started = Instant::now();
    assert_eq!(stage.sms().await, unclear_at("a"));
    assert_eq!(started.elapsed().as_secs(), 20);
    assert_eq!(stage.calls(), "abc");
}

#[tokio::test(start_paused = true)]
async fn messages_go_side_by_side_and_come_back_in_the_order_given() {
    let slow = [Play::AnswerAfter(5, accepted())];
    let quick = [Play::AnswerAfter(1, accepted())];
    let stage = Stage::with([(Channel::Email, &slow[..]), (Channel::Sms, &quick[..])], DeliveryConfig::default());
    let started = Instant::now();
    let attempts = stage.deliver(&[Channel::Email, Channel::Sms, Channel::Voice]).await;
    assert_eq!(attempts, [accepted_by("a"), accepted_by("a"), Attempt::Failed(FailureReason::ProviderUnavailable)]);
    assert_eq!(started.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn a_provider_that_panics_spoils_only_its_own_try() {
    let stage = Stage::new(&[Play::Panic, answer(accepted())]);
    assert_eq!(stage.sms().await, accepted_by("b"));
    assert_eq!(Stage::new(&[Play::Panic]).sms().await, unclear_at("a"));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_claims_to_be_instant_is_held_to_the_same_rules() {
    let stage = Stage::instant(&[Play::Panic, Play::Hang, answer(accepted())]);
    let started = Instant::now();
    assert_eq!((stage.sms().await, stage.calls().as_str()), (accepted_by("c"), "abc"));
    assert_eq!(started.elapsed(), DeliveryConfig::default().try_timeout());
    let notes: Vec<_> = stage.notes.0.lock().unwrap().iter().map(|(name, _, outcome, _)| (name.clone(), *outcome)).collect();
    assert_eq!(notes, [("a".to_owned(), "unclear"), ("b".to_owned(), "unclear"), ("c".to_owned(), "accepted")]);
    assert_eq!(Stage::instant(&[Play::Panic]).sms().await, unclear_at("a"));
}

#[tokio::test]
async fn a_sandbox_message_never_reaches_a_configured_provider() {
    let stage = Stage::new(&[Play::Panic]);
    let mut message = outgoing(Channel::Sms);
    message.mode = Mode::Sandbox;
    let prepared = stage.router.prepare(message).unwrap();
    let id = prepared.id();
    let ended = stage.router.deliver(vec![prepared]).await;
    let attempt = Attempt::Accepted { provider: ProviderName::new("sandbox"), provider_id: None };
    assert_eq!(ended, [(id, Channel::Sms, attempt)]);
    assert_eq!(stage.calls(), "");
}

#[tokio::test]
async fn a_log_line_has_the_id_that_callers_know() {
    let stage = Stage::new(&[answer(accepted())]);
    let trap = LogTrap::set();
    for (mode, prefix) in [(Mode::Live, "msg_"), (Mode::Sandbox, "msg_sandbox_")] {
        let mut message = outgoing(Channel::Sms);
        message.mode = mode;
        let shown = message.id.shown(mode).to_string();
        let prepared = stage.router.prepare(message).unwrap();
        stage.router.deliver(vec![prepared]).await;
        let log = trap.log();
        assert!(shown.starts_with(prefix) && log.contains(&format!("message_id={shown}")), "{log}");
    }
}

#[tokio::test]
async fn a_channel_is_instant_when_its_first_provider_is() {
    let provider = |name: &str, is_instant| {
        let calls = Arc::default();
        Arc::new(Scripted { name: ProviderName::new(name), play: answer(accepted()), is_instant, calls }) as Arc<dyn Provider>
    };
    let channels = [
        (Channel::Sms, vec![provider("screen", true), provider("wire", false)]),
        (Channel::Voice, vec![provider("wire", false), provider("screen", true)]),
    ];
    let router = Router::new(Routes::of(channels, DeliveryConfig::default(), 2), Arc::<Notes>::default());
    assert_eq!(router.instant(Mode::Live, Channel::Sms), Some(ProviderName::new("screen")));
    assert_eq!(router.instant(Mode::Live, Channel::Voice), None);
    assert_eq!(router.instant(Mode::Live, Channel::Email), None);
    assert!(router.has_route(Mode::Live, Channel::Voice) && !router.has_route(Mode::Live, Channel::Email));
    for channel in Channel::ALL {
        assert_eq!(router.instant(Mode::Sandbox, channel), Some(ProviderName::new("sandbox")));
        assert!(router.has_route(Mode::Sandbox, channel));
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_worded_fails_before_anything_is_sent() {
    let stage = Stage::new(&[answer(accepted())]);
    let mut message = outgoing(Channel::Sms);
    message.autofill = Autofill { domain: Some("not a host".to_owned()), app_hash: None };
    assert_eq!(stage.router.prepare(message).unwrap_err(), RenderError::AutofillDomain);
    assert_eq!(stage.calls(), "");
}

#[tokio::test(start_paused = true)]
async fn a_check_asks_every_provider_and_waits_for_none_longer_than_a_try() {
    let stage = Stage::new(&[answer(accepted()), Play::Hang, Play::Panic]);
    let checked = stage.router.check().await;
    let names: Vec<_> = checked.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(checked[0].1, Ok(()));
    assert_eq!(checked[1].1, Err(CheckError::Silent));
    assert_eq!(checked[2].1, Err(CheckError::Broken));
}

fn health(stage: &Stage, name: &str) -> crate::outlet::Health {
    stage.router.ways_out().into_iter().find(|way| way.name.as_str() == name).unwrap().health
}

fn breaker(failures: u32, pause_seconds: u64) -> DeliveryConfig {
    let breaker = BreakerConfig { failures, pause_seconds, probes: 1, ..BreakerConfig::default() };
    DeliveryConfig { breaker, ..DeliveryConfig::default() }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_keeps_failing_is_passed_over_until_its_pause_is_over() {
    let plays = [answer(TryOutcome::Unreachable(NOTE)), answer(accepted())];
    let stage = Stage::with([(Channel::Sms, &plays[..])], breaker(2, 30));
    for _ in 0..4 {
        assert_eq!(stage.sms().await, accepted_by("b"));
    }
    assert_eq!(stage.calls(), "ababbb");
    let ill = health(&stage, "a");
    assert_eq!((ill.circuit, ill.opened_times, ill.in_flight), (CircuitState::Open, 1, 0));
    assert_eq!((ill.recent.tries, ill.recent.failures), (2, 2));
    assert_eq!(ill.last_failure.map(|failure| (failure.outcome, failure.diagnostic)), Some(("unreachable", NOTE)));
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(stage.sms().await, accepted_by("b"));
    assert_eq!((stage.calls().as_str(), health(&stage, "a").opened_times), ("ababbbab", 2));
    assert_eq!(health(&stage, "b").circuit, CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn where_all_circuits_are_open_the_least_recently_opened_is_tried_first_and_no_message_fails_untried() {
    let ill = answer(TryOutcome::Unknown(NOTE));
    let stage = Stage::with([(Channel::Sms, &[ill.clone(), ill.clone()][..])], breaker(1, 600));
    assert_eq!(stage.sms().await, Attempt::Failed(FailureReason::ProviderUnavailable));
    assert_eq!(stage.calls(), "ab");
    assert_eq!(stage.sms().await, Attempt::Failed(FailureReason::ProviderUnavailable));
    assert_eq!((stage.calls().as_str(), health(&stage, "a").opened_times), ("abab", 1));
}

#[tokio::test(start_paused = true)]
async fn refusals_and_requests_to_slow_down_open_no_circuit() {
    for outcome in [TryOutcome::Refused(NOTE), TryOutcome::Throttled(NOTE)] {
        let stage = Stage::with([(Channel::Sms, &[answer(outcome)][..])], breaker(1, 600));
        for _ in 0..3 {
            stage.sms().await;
        }
        assert_eq!((stage.calls().as_str(), health(&stage, "a").circuit), ("aaa", CircuitState::Closed));
        assert_eq!(health(&stage, "a").recent.failures, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_try_that_is_broken_off_is_counted_out_again() {
    let stage = Stage::new(&[Play::Hang]);
    let delivery = tokio::time::timeout(Duration::from_secs(1), stage.sms());
    assert!(delivery.await.is_err());
    let health = health(&stage, "a");
    assert_eq!((health.in_flight, health.circuit, health.recent.tries), (0, CircuitState::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn beyond_its_pace_a_provider_is_left_for_another_one() {
    let delivery = DeliveryConfig { limits: [("a".to_owned(), 2)].into(), ..DeliveryConfig::default() };
    let stage = Stage::with([(Channel::Sms, &[answer(accepted()), answer(accepted())][..])], delivery);
    let begun = Instant::now();
    for _ in 0..4 {
        stage.sms().await;
    }
    assert_eq!((stage.calls().as_str(), begun.elapsed()), ("aabb", Duration::ZERO));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(stage.sms().await, accepted_by("a"));
}

#[tokio::test(start_paused = true)]
async fn where_nobody_else_is_left_a_message_waits_for_its_turn_and_not_so_long_that_no_time_is_left_to_try() {
    let delivery = DeliveryConfig { limits: [("a".to_owned(), 1)].into(), ..DeliveryConfig::default() };
    let stage = Stage::with([(Channel::Sms, &[answer(accepted())][..])], delivery);
    let begun = Instant::now();
    let sends = (0..20).map(|_| stage.sms());
    let ended = futures_util::future::join_all(sends).await;
    // A try has 8 of the 20 seconds: turns are waited for during the first 12.
    let taken = ended.iter().filter(|attempt| **attempt == accepted_by("a")).count();
    let throttled = ended.iter().filter(|attempt| **attempt == Attempt::Failed(FailureReason::Throttled)).count();
    assert_eq!((taken, throttled, begun.elapsed().as_secs()), (13, 7, 12));
}

#[tokio::test(start_paused = true)]
async fn a_busy_provider_comes_before_an_ill_one() {
    let delivery = DeliveryConfig { limits: [("b".to_owned(), 1)].into(), ..breaker(1, 600) };
    let plays = [answer(TryOutcome::Unreachable(NOTE)), answer(accepted())];
    let stage = Stage::with([(Channel::Sms, &plays[..])], delivery);
    let begun = Instant::now();
    assert_eq!(stage.sms().await, accepted_by("b"));
    assert_eq!(stage.sms().await, accepted_by("b"));
    assert_eq!((stage.calls().as_str(), begun.elapsed().as_secs()), ("abb", 1));
}

#[tokio::test(start_paused = true)]
async fn a_provider_may_have_a_time_of_its_own() {
    let delivery = DeliveryConfig { try_timeouts: [("a".to_owned(), 3)].into(), ..DeliveryConfig::default() };
    let stage = Stage::with([(Channel::Sms, &[Play::Hang, Play::Hang][..])], delivery);
    let begun = Instant::now();
    assert_eq!(stage.sms().await, unclear_at("a"));
    assert_eq!(begun.elapsed().as_secs(), 3 + 8);
}

#[tokio::test]
async fn providers_that_had_their_chance_are_not_asked_again() {
    let stage = Stage::new(&[answer(accepted()), answer(accepted())]);
    let mut message = outgoing(Channel::Sms);
    message.errand.passed_over = vec![ProviderName::new("a")];
    assert!(stage.router.untried(Mode::Live, Channel::Sms, &message.errand));
    let prepared = stage.router.prepare(message.clone()).unwrap();
    assert_eq!(stage.router.deliver(vec![prepared]).await.remove(0).2, accepted_by("b"));
    message.errand.passed_over.push(ProviderName::new("b"));
    assert!(!stage.router.untried(Mode::Live, Channel::Sms, &message.errand));
    let prepared = stage.router.prepare(message).unwrap();
    let ended = stage.router.deliver(vec![prepared]).await.remove(0).2;
    assert_eq!((ended, stage.calls().as_str()), (Attempt::Failed(FailureReason::ProviderUnavailable), "b"));
}

#[tokio::test]
async fn a_test_message_goes_to_the_provider_that_is_named_and_to_no_other() {
    let stage = Stage::with([(Channel::Sms, &[answer(accepted()), answer(TryOutcome::Unknown(NOTE))][..])], breaker(1, 600));
    let test = async |name: &str| {
        let message = stage.router.prepare(outgoing(Channel::Sms)).unwrap();
        stage.router.test(&ProviderName::new(name), message).await
    };
    assert_eq!(test("b").await, Ok(TryOutcome::Unknown(NOTE)));
    assert_eq!((test("b").await, stage.calls().as_str()), (Ok(TryOutcome::Unknown(NOTE)), "bb"), "though its circuit is open");
    assert_eq!(test("x").await, Err(TestError::NoSuchProvider));
    assert_eq!(health(&stage, "b").recent.tries, 2);
}
