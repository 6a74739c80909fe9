//! What goes on beside the calls: rounds of the sweeper, and keeping up with changed records.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::{Directory, Platform};
use countersign_records::{Records, RecordsError};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

/// Pause between rounds of the sweeper when there is nothing more to do at once.
const SWEEP_PAUSE: Duration = Duration::from_millis(500);
/// How soon a key made or revoked at the terminal is heard of.
const RECORDS_PAUSE: Duration = Duration::from_millis(500);

/// The running workers. Dropping them ends them where they stand.
#[derive(Debug)]
pub(crate) struct Workers {
    stop: watch::Sender<bool>,
    running: JoinSet<()>,
}

impl Workers {
    /// Starts them on the current runtime.
    pub(crate) fn start(platform: Arc<Platform>, directory: Arc<Directory>, records: Records, seen: i64) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut running = JoinSet::new();
        running.spawn(sweep(platform, stopped.clone()));
        running.spawn(follow(directory, records, seen, stopped));
        Self { stop, running }
    }

    /// Lets each finish the round it is in.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.running.join_next().await.is_some() {}
    }
}

/// Rounds until told to stop. A store that is away is asked again at the next tick.
async fn sweep(platform: Arc<Platform>, mut stopped: watch::Receiver<bool>) {
    let mut tick = ticks(SWEEP_PAUSE);
    while goes_on(&mut tick, &mut stopped).await {
        loop {
            match platform.sweep().await {
                Ok(swept) if swept.more && !*stopped.borrow() => {}
                Ok(_) => break,
                Err(error) => {
                    warn!(%error, "a round of the sweeper broke off; the next one goes on");
                    break;
                }
            }
        }
    }
}

/// Reads the keys again whenever the records have changed, whoever changed them.
async fn follow(directory: Arc<Directory>, records: Records, mut seen: i64, mut stopped: watch::Receiver<bool>) {
    let mut tick = ticks(RECORDS_PAUSE);
    while goes_on(&mut tick, &mut stopped).await {
        match reload(&directory, &records, seen).await {
            Ok(now) => seen = now,
            Err(error) => warn!(%error, "changed records cannot be read; the known keys stay in force"),
        }
    }
}

/// The version that is in force afterwards.
async fn reload(directory: &Directory, records: &Records, seen: i64) -> Result<i64, RecordsError> {
    let version = records.data_version().await?;
    if version != seen {
        let keys = records.api_keys().all().await?;
        info!(keys = keys.len(), "records changed; keys read again");
        directory.replace(countersign_core::Records { keys });
    }
    Ok(version)
}

fn ticks(pause: Duration) -> tokio::time::Interval {
    let mut tick = interval(pause);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick
}

/// Waits for the next tick; false when told to stop, also when whoever tells is gone.
async fn goes_on(tick: &mut tokio::time::Interval, stopped: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        biased;
        _ = stopped.wait_for(|stop| *stop) => false,
        _ = tick.tick() => true,
    }
}
