//! What goes on beside the calls: rounds of the sweeper, and keeping up with changed records.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::{Platform, Projector, Wallets, WebhookWorker};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

use crate::app::Role;

/// Pause between rounds of the sweeper when there is nothing more to do at once.
const SWEEP_PAUSE: Duration = Duration::from_millis(500);
/// How soon a change that another process made is heard of where nothing else tells of it.
const RECORDS_PAUSE: Duration = Duration::from_millis(500);

/// How late a receipt of the sandbox may be.
const REHEARSAL_PAUSE: Duration = Duration::from_millis(250);
/// How long an event may wait in the log when nothing more is to be read at once.
const LOG_PAUSE: Duration = Duration::from_millis(150);
/// How soon a webhook that has become due is posted.
const WEBHOOK_PAUSE: Duration = Duration::from_millis(250);
/// How soon a credit can be spent.
const CREDIT_PAUSE: Duration = Duration::from_millis(500);
/// Pause between comparisons of balances.
const CUT_PAUSE: Duration = Duration::from_secs(10);
/// Tenants that are compared at a time.
const CUTS: u32 = 50;
/// Pause between rounds of forgetting.
const TIDY_PAUSE: Duration = Duration::from_secs(60);

/// The running workers. Dropping them ends them where they stand.
#[derive(Debug)]
pub(crate) struct Workers {
    stop: watch::Sender<bool>,
    running: JoinSet<()>,
}

impl Workers {
    /// Starts them on the current runtime.
    pub(crate) fn start(platform: &Arc<Platform>, role: Role) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut running = JoinSet::new();
        running.spawn(follow(Arc::clone(platform), stopped.clone()));
        running.spawn(rehearse(Arc::clone(platform), stopped.clone()));
        running.spawn(hold_providers(Arc::clone(platform), stopped.clone()));
        if role.works() {
            running.spawn(sweep(Arc::clone(platform), stopped.clone()));
            running.spawn(project(platform.projector(), stopped.clone()));
            running.spawn(post(platform.webhook_worker(), stopped.clone()));
            running.spawn(tidy(Arc::clone(platform), stopped.clone()));
            if platform.is_billing() {
                running.spawn(settle(platform.wallets(), stopped.clone()));
                running.spawn(compare(platform.wallets(), stopped));
            }
        }
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

/// Takes in the sandbox's receipts, in the process that sent their messages.
async fn rehearse(platform: Arc<Platform>, mut stopped: watch::Receiver<bool>) {
    let mut tick = ticks(REHEARSAL_PAUSE);
    while goes_on(&mut tick, &mut stopped).await {
        platform.take_rehearsed().await;
    }
}

/// Reads the log into the records.
async fn project(projector: Projector, mut stopped: watch::Receiver<bool>) {
    let mut tick = ticks(LOG_PAUSE);
    while goes_on(&mut tick, &mut stopped).await {
        loop {
            match projector.round().await {
                Ok(progress) if progress.more && !*stopped.borrow() => {}
                Ok(_) => break,
                Err(error) => {
                    warn!(%error, "the log cannot be read into the records; it waits");
                    break;
                }
            }
        }
    }
}

/// Posts events that are due. At a stop it waits for those that are on their way.
async fn post(worker: WebhookWorker, mut stopped: watch::Receiver<bool>) {
    let mut tick = ticks(WEBHOOK_PAUSE);
    while goes_on(&mut tick, &mut stopped).await {
        if let Err(error) = worker.round().await {
            warn!(%error, "due webhooks cannot be read; they wait");
        }
    }
    worker.settle().await;
}

/// Takes credits from the ledger into the balances that sends are paid from.
async fn settle(wallets: Wallets, mut stopped: watch::Receiver<bool>) {
    let mut tick = ticks(CREDIT_PAUSE);
    while goes_on(&mut tick, &mut stopped).await {
        if let Err(error) = wallets.settle_credits().await {
            warn!(%error, "credits cannot be taken into their balances; they wait");
        }
    }
}

/// Has balances written into the log, a few tenants a round, to be compared with the ledger there.
async fn compare(wallets: Wallets, mut stopped: watch::Receiver<bool>) {
    let (mut tick, mut after) = (ticks(CUT_PAUSE), None);
    while goes_on(&mut tick, &mut stopped).await {
        match wallets.cut(after, CUTS).await {
            Ok(last) => after = last,
            Err(error) => warn!(%error, "balances cannot be compared now"),
        }
    }
}

/// Forgets what nobody can ask the records for any more.
async fn tidy(platform: Arc<Platform>, mut stopped: watch::Receiver<bool>) {
    let (mut tick, mut after) = (ticks(TIDY_PAUSE), None);
    while goes_on(&mut tick, &mut stopped).await {
        if let Err(error) = platform.sweep_records().await {
            warn!(%error, "old answers cannot be forgotten now");
        }
        match platform.forget_history(after).await {
            Ok(last) => after = last,
            Err(error) => warn!(%error, "old sessions cannot be forgotten now"),
        }
    }
}

/// Holds providers' connections open, and takes in the receipts that come over them.
async fn hold_providers(platform: Arc<Platform>, mut stopped: watch::Receiver<bool>) {
    let held = async { tokio::join!(platform.keep_up_providers(), platform.take_pushed()) };
    tokio::select! {
        _ = stopped.wait_for(|stop| *stop) => {}
        _ = held => {}
    }
}

/// Reads the records again whenever they have changed, whoever changed them.
async fn follow(platform: Arc<Platform>, mut stopped: watch::Receiver<bool>) {
    let mut tick = ticks(RECORDS_PAUSE);
    while goes_on(&mut tick, &mut stopped).await {
        match platform.refresh().await {
            Ok(()) => {
                if let Err(error) = platform.write_revocations().await {
                    warn!(%error, "ends of keys cannot be written down; they are in force all the same");
                }
            }
            Err(error) => warn!(%error, "changed records cannot be read; the known ones stay in force"),
        }
        platform.tell_revisions().await;
        platform.look_at_store();
    }
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
