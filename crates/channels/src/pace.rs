//! How fast providers are handed messages: turns, of which there are so many a second.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use countersign_model::ProviderName;
use tokio::time::{Instant, sleep, timeout_at};

/// Hands out turns at providers. One may be shared by several processes.
#[async_trait]
pub trait Pace: Send + Sync {
    /// Takes a turn at `provider`, which has at most `per_second` in any second. Answers soon, and never fails: whoever counts elsewhere and
    /// cannot reach it counts by himself.
    async fn take(&self, provider: &ProviderName, per_second: u32) -> Turn;
}

/// Whether it is one's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It is, and it is taken.
    Now,
    /// Nothing was taken. Before so long there is none.
    In(Duration),
}

/// Turns of this process alone: exact over any second.
#[derive(Debug, Default)]
pub struct OwnPace(Mutex<HashMap<ProviderName, VecDeque<Instant>>>);

const SECOND: Duration = Duration::from_secs(1);

impl OwnPace {
    /// Takes a turn, without waiting for anything.
    pub fn take_now(&self, provider: &ProviderName, per_second: u32) -> Turn {
        let now = Instant::now();
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !taken.contains_key(provider) {
            taken.insert(provider.clone(), VecDeque::new());
        }
        let Some(turns) = taken.get_mut(provider) else { return Turn::Now };
        while turns.front().is_some_and(|first| now.saturating_duration_since(*first) >= SECOND) {
            turns.pop_front();
        }
        match turns.front() {
            Some(first) if turns.len() >= per_second as usize => {
                Turn::In(SECOND.saturating_sub(now.saturating_duration_since(*first)))
            }
            Some(_) | None => {
                turns.push_back(now);
                Turn::Now
            }
        }
    }
}

#[async_trait]
impl Pace for OwnPace {
    async fn take(&self, provider: &ProviderName, per_second: u32) -> Turn {
        self.take_now(provider, per_second)
    }
}

/// A provider's limit, and the line of those who wait for a turn in this process.
#[derive(Debug)]
pub(crate) struct Throttle {
    per_second: u32,
    /// Its head alone asks for turns, so that waiting costs the same however many wait.
    line: tokio::sync::Mutex<()>,
    waiting: AtomicUsize,
}

/// The least pause before a turn is asked for again.
const LEAST_PAUSE: Duration = Duration::from_millis(1);

impl Throttle {
    pub(crate) fn new(per_second: u32) -> Self {
        Self { per_second, line: tokio::sync::Mutex::new(()), waiting: AtomicUsize::new(0) }
    }

    /// A turn at once, or about how long it would take. Nobody jumps the line.
    pub(crate) async fn at_once(&self, provider: &ProviderName, pace: &dyn Pace) -> Turn {
        match self.line_ahead() {
            Duration::ZERO => pace.take(provider, self.per_second).await,
            wait => Turn::In(wait),
        }
    }

    /// Waits for a turn until `last`, in the order of coming; false: there is none before that.
    pub(crate) async fn in_line(&self, provider: &ProviderName, pace: &dyn Pace, last: Instant) -> bool {
        if Instant::now() + self.line_ahead() > last {
            return false;
        }
        let _place = Place::take(&self.waiting);
        timeout_at(last, async {
            let _head = self.line.lock().await;
            while let Turn::In(wait) = pace.take(provider, self.per_second).await {
                if Instant::now() + wait > last {
                    return false;
                }
                sleep(wait.max(LEAST_PAUSE)).await;
            }
            true
        })
        .await
        .unwrap_or(false)
    }

    /// How long those who wait already will take, more or less.
    fn line_ahead(&self) -> Duration {
        let waiting = u32::try_from(self.waiting.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        SECOND.saturating_mul(waiting) / self.per_second
    }
}

/// A place in the line, given up when its holder goes.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
