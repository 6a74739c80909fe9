//! The worker that posts webhooks: what is due goes out, each endpoint in a lane of its own, and what came of it is written down.
//!
//! Nothing is kept but in the records: a delivery whose worker dies is due again when its lease runs out, and may then arrive twice under the same
//! id. Several nodes may work side by side.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_model::{Clock, EndpointId, Rng};
use countersign_records::{Attempted, Claimed, DeliveryAttempt, DeliveryState, Records, RecordsError, StoredSecrets};
use countersign_webhooks::{
    DELIVERY_LIFE, EndpointSecrets, Format, Lane, Lanes, Next, Outcome, Permit, Post, Poster, PreviousSecret, Report, WebhookId,
    next,
};
use secrecy::ExposeSecret;
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::metrics::Metrics;

/// How long a delivery belongs to the worker that took it: longer than any post takes (`webhooks.timeout_seconds` is at most 25), and no longer
/// than its tenant should wait when the worker dies.
const LEASE: Duration = Duration::from_secs(40);

/// Endpoints that a round looks at; the next one goes on behind them.
const ENDPOINTS: u32 = 256;

/// Posts that an endpoint gets in one go, before others that wait get theirs.
const IN_A_ROW: usize = 64;

/// How far the number of waiting deliveries is counted.
const COUNTED: u32 = 10_000;

/// What a round started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundStarted {
    /// Endpoints to which something is on its way now.
    pub endpoints: usize,
    /// Whether there are further endpoints to look at, at once.
    pub more: bool,
}

/// Posts webhooks. Cheap to clone.
#[derive(Clone)]
pub struct WebhookWorker(Arc<Inner>);

struct Inner {
    records: Records,
    poster: Poster,
    lanes: Lanes,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    metrics: Arc<Metrics>,
    /// Endpoints that a task is posting to.
    busy: Mutex<HashSet<EndpointId>>,
    /// Where the last round ended.
    after: Mutex<Option<EndpointId>>,
    running: TaskTracker,
}

impl fmt::Debug for WebhookWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookWorker")
    }
}

impl WebhookWorker {
    /// Posts nothing yet.
    #[must_use]
    pub fn new(
        records: Records,
        poster: Poster,
        lanes: Lanes,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (busy, after, running) = (Mutex::default(), Mutex::default(), TaskTracker::new());
        Self(Arc::new(Inner { records, poster, lanes, clock, rng, metrics, busy, after, running }))
    }

    /// Starts what is due and does not wait for it: an endpoint that hangs holds up nobody else. See [`WebhookWorker::settle`].
    pub async fn round(&self) -> Result<RoundStarted, RecordsError> {
        let inner = &self.0;
        let after = *lock(&inner.after);
        let due = inner.records.webhook_deliveries().due(inner.clock.now(), after, ENDPOINTS).await?;
        let more = due.len() == ENDPOINTS as usize;
        *lock(&inner.after) = if more { due.last().copied() } else { None };
        let started: Vec<_> = {
            let mut busy = lock(&inner.busy);
            due.into_iter().filter(|endpoint| busy.insert(*endpoint)).collect()
        };
        let endpoints = started.len();
        for endpoint in started {
            let task = Arc::clone(inner);
            inner.running.spawn(async move { task.serve(endpoint).await });
        }
        inner.metrics.log.webhooks_pending(inner.records.webhook_deliveries().count_pending(COUNTED).await?);
        Ok(RoundStarted { endpoints, more })
    }

    /// Comes back when everything that was started has ended. At a stop: what is cut off instead is posted again when its lease has run out.
    pub async fn settle(&self) {
        self.0.running.close();
        self.0.running.wait().await;
        self.0.running.reopen();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes an endpoint off the busy ones, however its task ends.
struct Served<'a>(&'a Inner, EndpointId);

impl Drop for Served<'_> {
    fn drop(&mut self) {
        lock(&self.0.busy).remove(&self.1);
    }
}

impl Inner {
    async fn serve(self: Arc<Self>, endpoint: EndpointId) {
        let _served = Served(&self, endpoint);
        if let Err(failure) = self.post_due(endpoint).await {
            warn!(%endpoint, %failure, "posting broke off; what was taken is due again when its lease has run out");
        }
    }

    /// Posts what is due for one endpoint, as much at a time as its lane lets through.
    async fn post_due(self: &Arc<Self>, endpoint: EndpointId) -> Result<(), RecordsError> {
        let mut posted = 0;
        while posted < IN_A_ROW {
            let now = self.clock.now();
            self.records.webhook_deliveries().fail_older(endpoint, now.minus(DELIVERY_LIFE), now).await?;
            let permits = self.permits(endpoint);
            if permits.is_empty() {
                return Ok(());
            }
            let claimed = self.records.webhook_deliveries().claim(endpoint, now, LEASE, permits.len()).await?;
            if claimed.is_empty() {
                return Ok(());
            }
            posted += claimed.len();
            let mut posts = JoinSet::new();
            // Permits that find nothing to post are given back here.
            for (claimed, permit) in claimed.into_iter().zip(permits) {
                let task = Arc::clone(self);
                posts.spawn(async move { task.post(claimed, permit).await });
            }
            while let Some(done) = posts.join_next().await {
                match done {
                    Ok(done) => done?,
                    Err(died) => error!(%endpoint, %died, "a post died"),
                }
            }
        }
        Ok(())
    }

    /// As many as may be on their way to the endpoint now. A probe goes alone.
    fn permits(&self, endpoint: EndpointId) -> Vec<Permit> {
        let mut permits = Vec::new();
        loop {
            match self.lanes.take(endpoint, self.clock.now()) {
                Lane::Go(permit) => permits.push(permit),
                Lane::Busy | Lane::Full | Lane::Open { .. } => return permits,
            }
        }
    }

    /// Posts one delivery and writes down what came of it.
    async fn post(&self, claimed: Claimed, permit: Permit) -> Result<(), RecordsError> {
        let delivery = &claimed.delivery;
        let (Some(secrets), Ok(id)) = (secrets(&claimed.secrets), delivery.event_id.parse::<WebhookId>()) else {
            error!(delivery = %delivery.id, "the secret of an endpoint or the id of an event cannot be read");
            return Ok(());
        };
        let post = Post { url: &claimed.url, id: &id, secrets: &secrets, format: Format::Native, body: &delivery.body };
        let report = self.poster.post(&post, self.clock.now()).await;
        permit.done(report.outcome.is_delivered(), self.clock.now());
        self.metrics.log.posted(word(&report.outcome));
        self.write_down(&claimed, report).await
    }

    async fn write_down(&self, claimed: &Claimed, report: Report) -> Result<(), RecordsError> {
        let delivery = &claimed.delivery;
        let (number, now) = (delivery.attempts.saturating_add(1), self.clock.now());
        let follows = next(number, now, &report.outcome, &*self.rng);
        let (state, at) = match follows {
            Next::Delivered => (DeliveryState::Delivered, now),
            Next::Retry(at) => (DeliveryState::Pending, at),
            Next::Failed | Next::Disable => (DeliveryState::Failed, now),
        };
        let attempt = DeliveryAttempt {
            number,
            at: report.at,
            took: report.took,
            status: report.outcome.status(),
            response: report.outcome.response().map(str::to_owned),
            error: (!report.outcome.is_delivered()).then(|| report.outcome.to_string()),
        };
        let mut whole = self.records.begin().await?;
        let counted = whole.webhook_deliveries().attempted(&Attempted { delivery: delivery.id, attempt, state, at }).await?;
        if follows == Next::Disable && whole.webhook_endpoints().gone(delivery.endpoint, now).await? {
            info!(endpoint = %delivery.endpoint, tenant = %delivery.tenant, "an endpoint said that it is gone and was disabled");
        }
        whole.commit().await?;
        if !counted {
            info!(delivery = %delivery.id, "a lease had run out: another worker posted the same");
        }
        Ok(())
    }
}

fn secrets(stored: &StoredSecrets) -> Option<EndpointSecrets> {
    let current = stored.current.expose_secret().parse().ok()?;
    let previous = match &stored.previous {
        Some((secret, until)) => Some(PreviousSecret { secret: secret.expose_secret().parse().ok()?, until: *until }),
        None => None,
    };
    Some(EndpointSecrets { current, previous })
}

/// For the count of posts.
const fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered { .. } => "delivered",
        Outcome::Gone { .. } => "gone",
        Outcome::Refused { .. } => "refused",
        Outcome::Unreachable(_) => "unreachable",
        Outcome::TimedOut => "timed_out",
        Outcome::Forbidden(_) => "forbidden",
    }
}
