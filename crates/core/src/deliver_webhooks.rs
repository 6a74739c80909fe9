//! The worker that posts webhooks: what is due goes out, each endpoint in a lane of its own, and what came of it is written down.
//!
//! Tenants take turns: whatever waits for one of them, the next free lane goes to whoever has fewer endpoints before it in the line, and no tenant
//! gets all lanes (see [`Lanes`]).
//!
//! Nothing is kept but in the records: a delivery whose worker dies is due again when its lease runs out, and may then arrive twice under the same
//! id. Several nodes may work side by side.

mod turns;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_model::{Clock, EndpointId, Rng, TenantId, Timestamp, WebhookFormat};
use countersign_records::{Attempted, Claimed, DeliveryAttempt, DeliveryState, Records, RecordsError, StoredSecrets};
use countersign_webhooks::{
    DELIVERY_LIFE, EndpointSecrets, Lane, Lanes, Next, Outcome, Permit, Post, Poster, PreviousSecret, Report, WebhookId,
    WebhookSecret, next,
};
use secrecy::ExposeSecret;
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use self::turns::Turns;
use crate::metrics::Metrics;

/// How long a delivery belongs to the worker that took it: longer than any post takes (`webhooks.timeout_seconds` is at most 25), and no longer
/// than its tenant should wait when the worker dies.
const LEASE: Duration = Duration::from_secs(40);

/// Endpoints that stand in line at a time.
const ENDPOINTS: u32 = 1_024;

/// Endpoints of one tenant that stand in line at a time, beside those that are being posted to.
const OF_A_TENANT: usize = 64;

/// Posts that an endpoint gets in one go, before others that wait get theirs.
const IN_A_ROW: usize = 64;

/// How far the number of waiting deliveries is counted.
const COUNTED: u32 = 10_000;

/// How often what has waited too long is looked for.
const AGED_EVERY: Duration = Duration::from_mins(1);

/// Deliveries that fail at a time because they have waited too long.
const AGED: u32 = 1_000;

/// What a round came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundStarted {
    /// Endpoints to which something is on its way from this round on.
    pub endpoints: usize,
    /// Endpoints that wait for a lane to become free.
    pub waiting: usize,
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
    turns: Mutex<Turns>,
    /// When what has waited too long was last looked for.
    aged_at: Mutex<Option<Timestamp>>,
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
        let (turns, aged_at, running) = (Mutex::default(), Mutex::default(), TaskTracker::new());
        Self(Arc::new(Inner { records, poster, lanes, clock, rng, metrics, turns, aged_at, running }))
    }

    /// Starts what is due and does not wait for it: an endpoint that hangs holds up nobody else. What finds no free lane stands in line and
    /// follows by itself. See [`WebhookWorker::settle`].
    pub async fn round(&self) -> Result<RoundStarted, RecordsError> {
        let inner = &self.0;
        let now = inner.clock.now();
        inner.give_up_aged(now).await?;
        let of_each = u32::try_from(inner.lanes.most_of_a_tenant() + OF_A_TENANT).unwrap_or(ENDPOINTS);
        let due = inner.records.webhook_deliveries().due(now, of_each, ENDPOINTS).await?;
        lock(&inner.turns).line_up(due);
        let endpoints = inner.start();
        inner.metrics.log.webhooks_pending(inner.records.webhook_deliveries().count_pending(COUNTED).await?);
        Ok(RoundStarted { endpoints, waiting: lock(&inner.turns).waiting() })
    }

    /// Comes back when everything that was started has ended; what stands in line is sent home. At a stop: what is cut off instead is posted
    /// again when its lease has run out.
    pub async fn settle(&self) {
        lock(&self.0.turns).close();
        self.0.running.close();
        self.0.running.wait().await;
        self.0.running.reopen();
        lock(&self.0.turns).reopen();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes an endpoint off the busy ones, however its task ends.
struct Served<'a>(&'a Inner, EndpointId);

impl Drop for Served<'_> {
    fn drop(&mut self) {
        lock(&self.0.turns).end(self.1);
    }
}

impl Inner {
    /// Gives the lanes that are free to those who stand in line, and tells how many got one.
    fn start(self: &Arc<Self>) -> usize {
        let mut turns = lock(&self.turns);
        let (mut started, mut kept) = (0, Vec::new());
        while let Some((tenant, endpoint)) = turns.next() {
            match self.lanes.take(tenant, endpoint, self.clock.now()) {
                Lane::Go(permit) => {
                    started += 1;
                    turns.begin(endpoint);
                    let task = Arc::clone(self);
                    self.running.spawn(async move { task.serve(tenant, endpoint, permit).await });
                }
                Lane::Open { until } => {
                    turns.begin(endpoint);
                    let task = Arc::clone(self);
                    self.running.spawn(async move { task.put_off(endpoint, until).await });
                }
                // Whoever posts to it ends some time, and a later round finds what is left.
                Lane::Busy => {}
                Lane::Crowded => kept.push((tenant, endpoint)),
                Lane::Full => {
                    kept.push((tenant, endpoint));
                    break;
                }
            }
        }
        turns.keep(kept);
        started
    }

    async fn serve(self: Arc<Self>, tenant: TenantId, endpoint: EndpointId, permit: Permit) {
        let served = Served(&self, endpoint);
        let more = self.post_due(tenant, endpoint, permit).await.unwrap_or_else(|failure| {
            warn!(%endpoint, %failure, "posting broke off; what was taken is due again when its lease has run out");
            false
        });
        drop(served);
        if more {
            lock(&self.turns).again(tenant, endpoint);
        }
        self.start();
    }

    /// Leaves alone what waits for an endpoint that fails again and again, until it is probed.
    async fn put_off(self: Arc<Self>, endpoint: EndpointId, until: Timestamp) {
        let _served = Served(&self, endpoint);
        if let Err(failure) = self.records.webhook_deliveries().put_off(endpoint, self.clock.now(), until).await {
            warn!(%endpoint, %failure, "what waits for an endpoint that fails could not be put off; the next round tries again");
        }
    }

    /// Now and then ends what has waited too long.
    async fn give_up_aged(&self, now: Timestamp) -> Result<(), RecordsError> {
        let is_time = lock(&self.aged_at).is_none_or(|last| now.since(last) >= AGED_EVERY);
        if is_time {
            while self.records.webhook_deliveries().fail_older(now.minus(DELIVERY_LIFE), now, AGED).await? == u64::from(AGED) {}
            *lock(&self.aged_at) = Some(now);
        }
        Ok(())
    }

    /// Posts what is due for one endpoint, as much at a time as its lane lets through, and tells whether there may be more that waits for
    /// nothing but a lane.
    async fn post_due(self: &Arc<Self>, tenant: TenantId, endpoint: EndpointId, permit: Permit) -> Result<bool, RecordsError> {
        let (mut posted, mut first) = (0, permit);
        loop {
            let mut permits = vec![first];
            while let Lane::Go(permit) = self.lanes.take(tenant, endpoint, self.clock.now()) {
                permits.push(permit);
            }
            let claimed = self.records.webhook_deliveries().claim(endpoint, self.clock.now(), LEASE, permits.len()).await?;
            if claimed.is_empty() {
                return Ok(false);
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
            if posted >= IN_A_ROW {
                return Ok(true);
            }
            first = match self.lanes.take(tenant, endpoint, self.clock.now()) {
                Lane::Go(permit) => permit,
                Lane::Busy | Lane::Crowded | Lane::Full | Lane::Open { .. } => return Ok(true),
            };
        }
    }

    /// Posts one delivery and writes down what came of it.
    async fn post(&self, claimed: Claimed, permit: Permit) -> Result<(), RecordsError> {
        let delivery = &claimed.delivery;
        let Ok(id) = delivery.event_id.parse::<WebhookId>() else {
            error!(delivery = %delivery.id, "the id of an event cannot be read");
            return Ok(());
        };
        let Some(secrets) = secrets(delivery.format, &claimed.secrets) else {
            let report = Report { at: self.clock.now(), took: Duration::ZERO, outcome: Outcome::Unsigned };
            return self.write_down(&claimed, report).await;
        };
        let post = Post { url: &claimed.url, id: &id, secrets: &secrets, format: delivery.format, body: &delivery.body };
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

/// None: the endpoint's secret was made for another format. One that was rotated out for another format signs no more.
fn secrets(format: WebhookFormat, stored: &StoredSecrets) -> Option<EndpointSecrets> {
    let read = |secret: &secrecy::SecretString| WebhookSecret::read(format, secret.expose_secret()).ok();
    let current = read(&stored.current)?;
    let previous =
        stored.previous.as_ref().and_then(|(secret, until)| Some(PreviousSecret { secret: read(secret)?, until: *until }));
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
        Outcome::Unsigned => "unsigned",
    }
}
