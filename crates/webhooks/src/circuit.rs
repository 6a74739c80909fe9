//! Leaves an endpoint alone that fails again and again.

use std::time::Duration;

use countersign_model::Timestamp;

/// Failures in a row that open the circuit.
const FAILURES: u32 = 5;

/// How long it is open first, and how long at most; doubled in between.
const FIRST_REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_secs(15 * 60);

/// The state of one endpoint. Only failures of posts count; what was not tried does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Circuit {
    /// Everything passes.
    Closed {
        /// In a row, fewer than [`FAILURES`].
        failures: u32,
    },
    /// Nothing passes before `until`, one probe after it.
    Open {
        until: Timestamp,
        /// How long it was opened for.
        rest: Duration,
    },
    /// A probe is out; nothing else passes.
    Probing {
        /// When the probe became due, to go back to if it never reports.
        since: Timestamp,
        /// As in `Open`.
        rest: Duration,
    },
}

/// What a post is to the circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// One of many.
    Ordinary,
    /// The one that decides whether an open circuit closes.
    Probe,
}

/// Whether a post may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// It may.
    Go(Role),
    /// The probe is out.
    Wait,
    /// Not before this moment.
    Open { until: Timestamp },
}

impl Circuit {
    /// Nothing is known of the endpoint.
    pub(crate) const CLEAN: Self = Self::Closed { failures: 0 };

    /// Whether a post may go out. Changes nothing: who posts says so by [`went`](Self::went).
    pub(crate) fn pass(&self, now: Timestamp) -> Pass {
        match *self {
            Self::Closed { .. } => Pass::Go(Role::Ordinary),
            Self::Probing { .. } => Pass::Wait,
            Self::Open { until, .. } if now < until => Pass::Open { until },
            Self::Open { .. } => Pass::Go(Role::Probe),
        }
    }

    /// A post is out, and will report by [`done`](Self::done) or [`abandon`](Self::abandon).
    pub(crate) fn went(&mut self, role: Role) {
        if let (Self::Open { until, rest }, Role::Probe) = (*self, role) {
            *self = Self::Probing { since: until, rest };
        }
    }

    /// A post ended. Any success closes the circuit: the endpoint works. Failures of posts that were out when it opened change nothing.
    pub(crate) fn done(&mut self, role: Role, is_delivered: bool, now: Timestamp) {
        *self = match (*self, role) {
            _ if is_delivered => Self::CLEAN,
            (Self::Closed { failures }, _) if failures + 1 < FAILURES => Self::Closed { failures: failures + 1 },
            (Self::Closed { .. }, _) => Self::open(FIRST_REST, now),
            (Self::Probing { rest, .. }, Role::Probe) => Self::open((rest * 2).min(LONGEST_REST), now),
            (state @ (Self::Open { .. } | Self::Probing { .. }), _) => state,
        };
    }

    /// A post was dropped and says nothing of the endpoint.
    pub(crate) fn abandon(&mut self, role: Role) {
        if let (Self::Probing { since, rest }, Role::Probe) = (*self, role) {
            *self = Self::Open { until: since, rest };
        }
    }

    fn open(rest: Duration, now: Timestamp) -> Self {
        Self::Open { until: now.plus(rest), rest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_768_473_900_000);

    fn fail(circuit: &mut Circuit, times: u32) {
        for _ in 0..times {
            assert_eq!(circuit.pass(NOW), Pass::Go(Role::Ordinary));
            circuit.done(Role::Ordinary, false, NOW);
        }
    }

    /// Asks, and posts if it may.
    fn post(circuit: &mut Circuit, now: Timestamp) -> Pass {
        let pass = circuit.pass(now);
        if let Pass::Go(role) = pass {
            circuit.went(role);
        }
        pass
    }

    fn opened() -> Circuit {
        let mut circuit = Circuit::CLEAN;
        fail(&mut circuit, FAILURES);
        circuit
    }

    #[test]
    fn five_failures_in_a_row_open_it() {
        let mut circuit = Circuit::CLEAN;
        fail(&mut circuit, 4);
        circuit.done(Role::Ordinary, true, NOW);
        fail(&mut circuit, 4);
        assert_eq!(circuit.pass(NOW), Pass::Go(Role::Ordinary));
        circuit.done(Role::Ordinary, false, NOW);
        assert_eq!(circuit.pass(NOW), Pass::Open { until: NOW.plus(FIRST_REST) });
    }

    #[test]
    fn it_rests_twice_as_long_after_each_probe_that_fails_but_a_quarter_of_an_hour_at_most() {
        let (mut circuit, mut now, mut rests) = (opened(), NOW, Vec::new());
        for _ in 0..7 {
            let Pass::Open { until } = circuit.pass(now) else { panic!("{circuit:?}") };
            rests.push(until.since(now).as_secs());
            now = until;
            assert_eq!(post(&mut circuit, now), Pass::Go(Role::Probe));
            circuit.done(Role::Probe, false, now);
        }
        assert_eq!(rests, [30, 60, 120, 240, 480, 900, 900]);
    }

    #[test]
    fn one_probe_is_out_at_a_time_and_its_success_closes_it() {
        let (mut circuit, later) = (opened(), NOW.plus(FIRST_REST));
        assert_eq!(post(&mut circuit, later), Pass::Go(Role::Probe));
        assert_eq!(post(&mut circuit, later), Pass::Wait);
        circuit.done(Role::Probe, true, later);
        assert_eq!(circuit, Circuit::CLEAN);
    }

    #[test]
    fn failures_of_posts_that_were_already_out_do_not_prolong_its_rest() {
        let mut circuit = opened();
        circuit.done(Role::Ordinary, false, NOW.plus(Duration::from_secs(10)));
        assert_eq!(circuit.pass(NOW), Pass::Open { until: NOW.plus(FIRST_REST) });
        assert_eq!(post(&mut circuit, NOW.plus(FIRST_REST)), Pass::Go(Role::Probe));
        circuit.done(Role::Ordinary, false, NOW.plus(FIRST_REST));
        assert_eq!(post(&mut circuit, NOW.plus(FIRST_REST)), Pass::Wait);
    }

    #[test]
    fn a_success_of_a_post_that_was_already_out_closes_it() {
        let mut circuit = opened();
        circuit.done(Role::Ordinary, true, NOW);
        assert_eq!(circuit, Circuit::CLEAN);
    }

    #[test]
    fn a_probe_that_was_dropped_makes_way_for_another() {
        let (mut circuit, later) = (opened(), NOW.plus(FIRST_REST));
        assert_eq!(post(&mut circuit, later), Pass::Go(Role::Probe));
        circuit.abandon(Role::Probe);
        assert_eq!(post(&mut circuit, later), Pass::Go(Role::Probe));
    }
}
