//! When a provider is passed over: a circuit that failures open and good probes close.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::config::BreakerConfig;
use crate::provider::TryOutcome;

/// Whether a provider is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CircuitState {
    /// It is.
    Closed,
    /// One message at a time tries whether it is well again.
    HalfOpen,
    /// It is passed over while another provider is left.
    Open,
}

impl CircuitState {
    /// The word for operators.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
        }
    }
}

/// What a try says of the provider's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It does its work; refusing a recipient is part of that.
    Well,
    /// It cannot be reached, does not answer, or answers nonsense.
    Ill,
    /// Nothing: it asked to slow down, or the try was broken off by us.
    Silent,
}

impl Sign {
    pub(crate) const fn of(outcome: &TryOutcome) -> Self {
        match outcome {
            TryOutcome::Accepted { .. } | TryOutcome::Refused(_) => Self::Well,
            TryOutcome::Throttled(_) => Self::Silent,
            TryOutcome::Unreachable(_) | TryOutcome::Misconfigured(_) | TryOutcome::Unknown(_) | TryOutcome::Unclear(_) => {
                Self::Ill
            }
        }
    }
}

/// Leave to try. What it came to is told to [`Circuit::leave`], always: a probe's ticket keeps all other probes away.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    epoch: u64,
    is_probe: bool,
}

/// The circuit of one provider in one process. Knows no clock: moments are told.
#[derive(Debug)]
pub(crate) struct Circuit {
    rules: BreakerConfig,
    state: CircuitState,
    since: Instant,
    /// Counts the changes. News of a try that began before the last one come too late to say anything.
    epoch: u64,
    /// Failures since the last try that went well.
    in_a_row: u32,
    /// The last tries, `true` for a failure; no more than the window.
    recent: VecDeque<bool>,
    /// Probes that went well since it is half open.
    good_probes: u32,
    is_probing: bool,
    /// How often probes opened it again since it was closed.
    reopened: u32,
    opened_at: Instant,
    opened_times: u64,
}

impl Circuit {
    /// The pause is doubled so often.
    const DOUBLED: u32 = 3;

    pub(crate) fn new(rules: BreakerConfig, now: Instant) -> Self {
        Self {
            rules,
            state: CircuitState::Closed,
            since: now,
            epoch: 0,
            in_a_row: 0,
            recent: VecDeque::new(),
            good_probes: 0,
            is_probing: false,
            reopened: 0,
            opened_at: now,
            opened_times: 0,
        }
    }

    pub(crate) const fn state(&self) -> CircuitState {
        self.state
    }

    /// When it came into this state.
    pub(crate) const fn since(&self) -> Instant {
        self.since
    }

    /// When it was opened last.
    pub(crate) const fn opened_at(&self) -> Instant {
        self.opened_at
    }

    /// How often it was opened, also by a probe.
    pub(crate) const fn opened_times(&self) -> u64 {
        self.opened_times
    }

    /// Leave to try now; none: the provider is to be passed over. An open circuit whose pause is over becomes half open by this.
    pub(crate) fn enter(&mut self, now: Instant) -> Option<Ticket> {
        match self.state {
            CircuitState::Closed => return Some(self.ticket(false)),
            CircuitState::Open if now.saturating_duration_since(self.opened_at) < self.pause() => return None,
            CircuitState::Open => self.turn(CircuitState::HalfOpen, now),
            CircuitState::HalfOpen => {}
        }
        if self.is_probing {
            return None;
        }
        self.is_probing = true;
        Some(self.ticket(true))
    }

    /// Leave to try although the circuit may be open: nobody else is left.
    pub(crate) const fn enter_anyway(&self) -> Ticket {
        self.ticket(false)
    }

    /// Takes in what a try said.
    pub(crate) fn leave(&mut self, ticket: Ticket, sign: Sign, now: Instant) {
        if ticket.epoch != self.epoch {
            return;
        }
        if ticket.is_probe {
            self.is_probing = false;
        }
        match (self.state, sign) {
            (_, Sign::Silent) | (CircuitState::Open, Sign::Ill) => {}
            (CircuitState::Closed, _) => {
                self.note(sign == Sign::Ill);
                if self.is_too_much() {
                    self.open(now);
                }
            }
            (CircuitState::HalfOpen, Sign::Ill) => {
                self.reopened += 1;
                self.open(now);
            }
            (CircuitState::Open, Sign::Well) => {
                self.turn(CircuitState::HalfOpen, now);
                self.count_probe(now);
            }
            (CircuitState::HalfOpen, Sign::Well) => self.count_probe(now),
        }
    }

    const fn ticket(&self, is_probe: bool) -> Ticket {
        Ticket { epoch: self.epoch, is_probe }
    }

    fn pause(&self) -> Duration {
        Duration::from_secs(self.rules.pause_seconds) * 2_u32.pow(self.reopened.min(Self::DOUBLED))
    }

    fn note(&mut self, is_failure: bool) {
        self.in_a_row = if is_failure { self.in_a_row + 1 } else { 0 };
        self.recent.push_back(is_failure);
        while self.recent.len() > self.rules.window as usize {
            self.recent.pop_front();
        }
    }

    fn is_too_much(&self) -> bool {
        let failures = self.recent.iter().filter(|failed| **failed).count();
        let is_full = self.recent.len() >= self.rules.window as usize;
        self.in_a_row >= self.rules.failures || (is_full && failures * 100 >= self.rules.percent as usize * self.recent.len())
    }

    fn count_probe(&mut self, now: Instant) {
        self.good_probes += 1;
        if self.good_probes >= self.rules.probes {
            self.reopened = 0;
            self.turn(CircuitState::Closed, now);
        }
    }

    fn open(&mut self, now: Instant) {
        self.opened_times += 1;
        self.opened_at = now;
        self.turn(CircuitState::Open, now);
    }

    fn turn(&mut self, state: CircuitState, now: Instant) {
        (self.state, self.since) = (state, now);
        self.epoch += 1;
        self.in_a_row = 0;
        self.recent.clear();
        self.good_probes = 0;
        self.is_probing = false;
    }
}

#[cfg(test)]
mod tests;
