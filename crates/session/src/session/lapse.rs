//! What time alone does to a session.

use std::time::Duration;

use countersign_model::{Attempt, EventKind, Timestamp};

use super::{Context, Session};
use crate::session::open::outcome_event;

/// After it is forgotten a session is kept this much longer, so that no late outcome finds it gone.
const KEPT_AFTER: Duration = Duration::from_hours(1);

impl Session {
    /// Tells the log what has become true by `now`, and drops what can no longer be used. Nothing that a caller is answered depends on this
    /// having run.
    pub(crate) fn lapse(&mut self, cx: &Context<'_>) -> Vec<EventKind> {
        let mut events = Vec::new();
        let (receipts, follows) = (self.policy.receipts, self.follows());
        for place in 0..self.challenges.len() {
            let challenge = &mut self.challenges[place];
            if challenge.message.attempt == Attempt::Sending && challenge.message.lease_until <= cx.now {
                challenge.message.attempt = Attempt::Unclear { provider: None };
                challenge.await_receipt(receipts, follows, cx.now);
                let (message, cost) = (challenge.message.id, challenge.message.cost);
                events.extend(outcome_event(message, challenge.channel, &challenge.message.attempt));
                self.capture(message, cost, &mut events);
            }
        }
        if self.end.is_none() && cx.now >= self.expires_at && !self.expiry_told {
            self.expiry_told = true;
            for challenge in &mut self.challenges {
                challenge.digests.clear();
            }
            events.push(EventKind::SessionExpired);
        }
        self.release_fee(cx.now);
        events
    }

    /// Whether the next fallback's turn has come.
    pub(crate) fn is_fallback_due(&self, now: Timestamp) -> bool {
        self.is_open(now) && self.fallback.first().is_some_and(|planned| planned.at <= now)
    }

    /// The next moment at which [`Session::lapse`] has something to do.
    pub(crate) fn due_at(&self) -> Timestamp {
        let leases = self.challenges.iter().filter(|challenge| challenge.message.attempt == Attempt::Sending);
        let leases = leases.map(|challenge| challenge.message.lease_until);
        let expiry = (self.end.is_none() && !self.expiry_told).then_some(self.expires_at);
        let waits = self.is_open_until_expiry() && !self.expiry_told;
        let fallback = self.fallback.first().filter(|_| waits).map(|planned| planned.at).filter(|at| *at < self.expires_at);
        let asked = self.challenges.iter().filter(|challenge| waits && challenge.verified_at.is_none());
        let follow = asked.filter_map(|challenge| challenge.message.follow_at).filter(|at| *at < self.expires_at);
        leases.chain(expiry).chain(fallback).chain(follow).chain([self.kept_until()]).min().unwrap_or_else(|| self.kept_until())
    }

    /// When it may be dropped.
    pub(crate) fn kept_until(&self) -> Timestamp {
        self.forgotten_at().max(self.expires_at).plus(KEPT_AFTER)
    }

    pub(super) fn is_open(&self, now: Timestamp) -> bool {
        now < self.expires_at && self.is_open_until_expiry()
    }

    const fn is_open_until_expiry(&self) -> bool {
        self.end.is_none() && self.wrong < self.policy.max_attempts
    }
}
