use super::*;

const RULES: BreakerConfig = BreakerConfig { failures: 3, percent: 50, window: 10, pause_seconds: 10, probes: 2 };

struct Stage {
    circuit: Circuit,
    now: Instant,
}

impl Stage {
    fn new() -> Self {
        let now = Instant::now();
        Self { circuit: Circuit::new(RULES, now), now }
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    /// Whether it was let in; if so, the try says `sign`.
    fn pass(&mut self, sign: Sign) -> bool {
        let ticket = self.circuit.enter(self.now);
        if let Some(ticket) = ticket {
            self.circuit.leave(ticket, sign, self.now);
        }
        ticket.is_some()
    }

    fn opened() -> Self {
        let mut stage = Self::new();
        for _ in 0..RULES.failures {
            assert!(stage.pass(Sign::Ill));
        }
        assert_eq!(stage.circuit.state(), CircuitState::Open);
        stage
    }
}

#[tokio::test]
async fn failures_in_a_row_open_it_and_a_good_try_between_starts_the_count_again() {
    let mut stage = Stage::new();
    for sign in [Sign::Ill, Sign::Ill, Sign::Well, Sign::Ill, Sign::Ill] {
        assert!(stage.pass(sign));
        assert_eq!(stage.circuit.state(), CircuitState::Closed);
    }
    assert!(stage.pass(Sign::Ill));
    assert_eq!((stage.circuit.state(), stage.circuit.opened_times()), (CircuitState::Open, 1));
    assert!(!stage.pass(Sign::Well));
}

#[tokio::test]
async fn half_of_a_full_window_opens_it_though_no_three_failed_in_a_row() {
    let mut stage = Stage::new();
    for nth in 0..9 {
        assert!(stage.pass(if nth % 2 == 0 { Sign::Ill } else { Sign::Well }));
        assert_eq!(stage.circuit.state(), CircuitState::Closed, "after {nth}");
    }
    assert!(stage.pass(Sign::Well));
    assert_eq!(stage.circuit.state(), CircuitState::Open);
}

#[tokio::test]
async fn being_asked_to_slow_down_is_no_failure_and_no_cure() {
    let mut stage = Stage::new();
    for sign in [Sign::Ill, Sign::Silent, Sign::Ill, Sign::Silent, Sign::Silent, Sign::Silent] {
        assert!(stage.pass(sign));
    }
    assert_eq!(stage.circuit.state(), CircuitState::Closed);
    stage.pass(Sign::Ill);
    assert_eq!(stage.circuit.state(), CircuitState::Open);
}

#[tokio::test]
async fn after_the_pause_one_probe_at_a_time_goes_and_enough_good_ones_close_it() {
    let mut stage = Stage::opened();
    stage.wait(9);
    assert!(!stage.pass(Sign::Well));
    stage.wait(1);
    let probe = stage.circuit.enter(stage.now).unwrap();
    assert_eq!(stage.circuit.state(), CircuitState::HalfOpen);
    assert!(stage.circuit.enter(stage.now).is_none(), "a second one beside it");
    stage.circuit.leave(probe, Sign::Well, stage.now);
    assert_eq!(stage.circuit.state(), CircuitState::HalfOpen);
    assert!(stage.pass(Sign::Well));
    assert_eq!((stage.circuit.state(), stage.circuit.since()), (CircuitState::Closed, stage.now));
}

#[tokio::test]
async fn a_bad_probe_opens_it_for_twice_as_long_up_to_eight_times() {
    let mut stage = Stage::opened();
    for pause in [10, 20, 40, 80, 80] {
        stage.wait(pause - 1);
        assert!(!stage.pass(Sign::Well), "before {pause} s");
        stage.wait(1);
        assert!(stage.pass(Sign::Ill), "after {pause} s");
        assert_eq!(stage.circuit.state(), CircuitState::Open);
    }
    assert_eq!(stage.circuit.opened_times(), 6);
    stage.wait(80);
    assert!(stage.pass(Sign::Well) && stage.pass(Sign::Well));
    assert_eq!(stage.circuit.state(), CircuitState::Closed);
    for _ in 0..3 {
        stage.pass(Sign::Ill);
    }
    stage.wait(10);
    assert!(stage.pass(Sign::Well), "a circuit that was closed begins with the short pause again");
}

#[tokio::test]
async fn a_probe_that_was_broken_off_makes_room_for_the_next() {
    let mut stage = Stage::opened();
    stage.wait(10);
    assert!(stage.pass(Sign::Silent));
    assert_eq!(stage.circuit.state(), CircuitState::HalfOpen);
    assert!(stage.pass(Sign::Well));
}

#[tokio::test]
async fn news_of_a_try_that_began_before_the_last_change_say_nothing() {
    let mut stage = Stage::new();
    let early = stage.circuit.enter(stage.now).unwrap();
    for _ in 0..3 {
        stage.pass(Sign::Ill);
    }
    stage.circuit.leave(early, Sign::Well, stage.now);
    assert_eq!(stage.circuit.state(), CircuitState::Open);
    stage.wait(10);
    assert!(stage.pass(Sign::Well));
    stage.circuit.leave(early, Sign::Ill, stage.now);
    assert_eq!(stage.circuit.state(), CircuitState::HalfOpen);
}

#[tokio::test]
async fn a_forced_try_that_goes_well_counts_as_a_probe_and_one_that_fails_as_nothing() {
    let mut stage = Stage::opened();
    let forced = stage.circuit.enter_anyway();
    stage.circuit.leave(forced, Sign::Ill, stage.now);
    assert_eq!((stage.circuit.state(), stage.circuit.opened_times()), (CircuitState::Open, 1));
    let forced = stage.circuit.enter_anyway();
    stage.circuit.leave(forced, Sign::Well, stage.now);
    assert_eq!(stage.circuit.state(), CircuitState::HalfOpen);
    let forced = stage.circuit.enter_anyway();
    stage.circuit.leave(forced, Sign::Well, stage.now);
    assert_eq!(stage.circuit.state(), CircuitState::Closed);
}
