//! A minute of two hundred messages a second through a first provider that is down, slow or flapping, in virtual time.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use super::*;
use crate::config::DeliveryConfig;
use crate::provider::Diagnostic;
use crate::receipts::Receipts;
use crate::testing::{NOW, outgoing};

const NOTE: Diagnostic = Diagnostic::Note("scripted");
const A_SECOND: u32 = 200;
/// Those of a minute.
const SENDS: usize = 12_000;

/// What a provider is like at a moment after the start.
#[derive(Clone, Copy)]
enum Weather {
    /// It takes a message in this many milliseconds.
    Fair(u64),
    /// Nobody is there.
    Down,
    /// It takes messages, and never says so.
    Silent,
}

struct Changing {
    name: ProviderName,
    begun: Instant,
    weather: fn(Duration) -> Weather,
    /// Messages that reach people through it.
    taken: Arc<Mutex<Vec<MessageId>>>,
}

#[async_trait]
impl Provider for Changing {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn serves(&self, _: Channel) -> bool {
        true
    }

    fn is_instant(&self) -> bool {
        false
    }

    async fn send(&self, message: &Rendered) -> TryOutcome {
        match (self.weather)(self.begun.elapsed()) {
            Weather::Fair(milliseconds) => {
                sleep(Duration::from_millis(milliseconds)).await;
                self.taken.lock().unwrap().push(message.id);
                TryOutcome::Accepted { provider_id: None }
            }
            Weather::Down => {
                sleep(Duration::from_millis(20)).await;
                TryOutcome::Unreachable(NOTE)
            }
            Weather::Silent => {
                self.taken.lock().unwrap().push(message.id);
                std::future::pending().await
            }
        }
    }

    async fn check(&self) -> Result<(), CheckError> {
        Ok(())
    }

    fn receipts(&self) -> Option<&dyn Receipts> {
        None
    }

    fn tells(&self) -> Tells {
        Tells::Nothing
    }

    async fn keep_up(&self) {}
}

/// Counts what it is told.
#[derive(Default)]
struct Counts {
    tries: Mutex<BTreeMap<(String, &'static str), usize>>,
    circuits: Mutex<Vec<(String, CircuitState)>>,
    in_flight: Mutex<i64>,
}

impl Observer for Counts {
    fn tried(&self, provider: &ProviderName, _: Channel, outcome: &'static str, _: Duration) {
        *self.tries.lock().unwrap().entry((provider.to_string(), outcome)).or_default() += 1;
    }

    fn in_flight(&self, _: &ProviderName, change: i64) {
        *self.in_flight.lock().unwrap() += change;
    }

    fn circuit(&self, provider: &ProviderName, state: CircuitState) {
        self.circuits.lock().unwrap().push((provider.to_string(), state));
    }
}

/// What a minute came to.
struct Minute {
    ended: Vec<(MessageId, Attempt, Duration)>,
    counts: Arc<Counts>,
    taken: Vec<MessageId>,
    deadline: Duration,
}

/// Messages go to `a`, which has `weather`, and to `b`, which is well.
async fn minute(weather: fn(Duration) -> Weather) -> Minute {
    let (taken, counts, begun) = (Arc::<Mutex<Vec<MessageId>>>::default(), Arc::<Counts>::default(), Instant::now());
    let provider = |name: &str, weather| {
        let name = ProviderName::new(name);
        Arc::new(Changing { name, begun, weather, taken: Arc::clone(&taken) }) as Arc<dyn Provider>
    };
    let delivery = DeliveryConfig::default();
    let deadline = delivery.deadline();
    let list = vec![provider("a", weather), provider("b", |_| Weather::Fair(80))];
    let router = Router::new(Routes::of([(Channel::Sms, list)], delivery, 2), counts.clone());
    let rng = countersign_model::SeededRng::new(21);
    let mut sends = JoinSet::new();
    for nth in (0..).take(SENDS) {
        let mut message = outgoing(Channel::Sms);
        message.id = MessageId::mint(NOW, &rng, countersign_model::Partition::of(3));
        let (router, prepared) = (router.clone(), router.prepare(message).unwrap());
        let at = begun + Duration::from_secs(1) * nth / A_SECOND;
        sends.spawn(async move {
            tokio::time::sleep_until(at).await;
            let (id, _, attempt) = router.deliver(vec![prepared]).await.remove(0);
            (id, attempt, at.elapsed())
        });
    }
    let ended = sends.join_all().await;
    let taken = taken.lock().unwrap().clone();
    Minute { ended, counts, taken, deadline }
}

impl Minute {
    /// What holds in any weather.
    fn check(&self) {
        let accepted = |attempt: &Attempt| matches!(attempt, Attempt::Accepted { .. });
        let failed: Vec<_> = self.ended.iter().filter(|(_, attempt, _)| !accepted(attempt)).collect();
        assert!(failed.is_empty(), "{} of {SENDS} failed though b is well: {:?}", failed.len(), failed.first());
        let slowest = self.ended.iter().map(|(.., took)| *took).max().unwrap();
        assert!(slowest <= self.deadline, "{slowest:?}");
        assert!(self.ninety_ninth() < self.deadline, "{:?}", self.ninety_ninth());
        assert_eq!(*self.counts.in_flight.lock().unwrap(), 0);
        // To the last message: each accepted once, and reached people as often as somebody took it.
        assert_eq!(self.ended.len(), SENDS);
        assert_eq!(self.tries("a", "accepted") + self.tries("b", "accepted"), SENDS);
        assert_eq!(self.taken.len(), SENDS + self.tries("a", "unclear") + self.tries("b", "unclear"));
        let by = |name: &str| {
            let name = ProviderName::new(name);
            self.ended.iter().filter(|(_, attempt, _)| attempt.provider() == Some(&name)).count()
        };
        assert_eq!((by("a"), by("b")), (self.tries("a", "accepted"), self.tries("b", "accepted")));
        assert!(by("b") > 0);
    }

    fn ninety_ninth(&self) -> Duration {
        let mut times: Vec<Duration> = self.ended.iter().map(|(.., took)| *took).collect();
        times.sort_unstable();
        times[times.len() * 99 / 100]
    }

    fn tries(&self, provider: &str, outcome: &'static str) -> usize {
        self.counts.tries.lock().unwrap().get(&(provider.to_owned(), outcome)).copied().unwrap_or(0)
    }

    /// How often the circuit of `a` came into a state after the start.
    fn changes(&self, state: CircuitState) -> usize {
        let circuits = self.counts.circuits.lock().unwrap();
        assert!(circuits.iter().skip(3).all(|(name, _)| name == "a"), "{circuits:?}");
        circuits.iter().skip(3).filter(|(_, now)| *now == state).count()
    }

    fn twice(&self) -> usize {
        let mut counts = BTreeMap::<MessageId, usize>::new();
        for id in &self.taken {
            *counts.entry(*id).or_default() += 1;
        }
        assert!(counts.values().all(|count| *count <= 2));
        counts.values().filter(|count| **count == 2).count()
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_provider_that_is_down_costs_nobody_his_message() {
    let minute = minute(|_| Weather::Down).await;
    minute.check();
    assert_eq!((minute.tries("b", "accepted"), minute.twice()), (SENDS, 0));
    assert!(minute.tries("a", "unreachable") < 50, "{} tries at a provider that is down", minute.tries("a", "unreachable"));
    // Opened, then after 10 and 20 more seconds tried again and found down.
    assert_eq!((minute.changes(CircuitState::Open), minute.changes(CircuitState::HalfOpen)), (3, 2));
    assert_eq!(minute.changes(CircuitState::Closed), 0);
    assert!(minute.ninety_ninth() <= Duration::from_millis(100), "{:?}", minute.ninety_ninth());
}

#[tokio::test(start_paused = true)]
async fn a_first_provider_that_is_silent_delays_those_who_asked_before_that_was_known() {
    let minute = minute(|at| if at.as_secs() < 30 { Weather::Silent } else { Weather::Fair(50) }).await;
    minute.check();
    // Nobody knows before the first try is over: what set out in these 8 s may reach people twice, and nothing else does.
    assert_eq!(minute.twice(), minute.tries("a", "unclear"));
    assert!((1_600..1_610).contains(&minute.tries("a", "unclear")), "{}", minute.tries("a", "unclear"));
    assert_eq!(minute.changes(CircuitState::Closed), 1);
    assert!(minute.tries("a", "accepted") > 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_first_provider_that_flaps_is_left_and_taken_up_again() {
    let minute = minute(|at| if at.as_secs() % 14 < 2 { Weather::Down } else { Weather::Fair(50) }).await;
    minute.check();
    assert_eq!(minute.twice(), 0);
    assert!(minute.changes(CircuitState::Open) >= 3 && minute.changes(CircuitState::Closed) >= 3);
    assert!(minute.tries("a", "unreachable") < 100, "{}", minute.tries("a", "unreachable"));
    assert!(minute.tries("a", "accepted") > 1_000, "{}", minute.tries("a", "accepted"));
    assert!(minute.ninety_ninth() <= Duration::from_millis(150), "{:?}", minute.ninety_ninth());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_every_other_message_is_left_too() {
    let minute = minute(|at| if at.as_millis() / 5 % 2 == 0 { Weather::Down } else { Weather::Fair(50) }).await;
    minute.check();
    assert_eq!(minute.twice(), 0);
    assert!(minute.changes(CircuitState::Open) >= 3, "{}", minute.changes(CircuitState::Open));
    assert!(minute.tries("a", "unreachable") < 200, "{}", minute.tries("a", "unreachable"));
}
