//! The one thread that writes. Steps that wait together share a transaction, each in a savepoint of its own, and are answered when it is
//! lasting.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{Builder, JoinHandle};

use countersign_model::Clock;
use rusqlite::{Connection, Statement};
use tokio::sync::oneshot;

use super::rows::SqliteRows;
use super::sweep::Sweeper;
use super::unavailable;
use crate::code::CodeKeys;
use crate::session::Context;
use crate::store::StoreError;
use crate::store::faults::{FaultPoint, Faults};
use crate::store::steps::Step;
use crate::subject::BudgetRule;

/// Steps that may wait for the writer. Beyond them a caller is told at once that the store has no room.
const MAX_WAITING: usize = 4096;
/// Steps in one transaction: what a step pays for the commit hardly falls beyond it, and the first of them waits for the last.
const MAX_GROUP: usize = 256;

/// What the writer thread brings to every step.
pub(super) struct Equipment {
    pub(super) keys: Arc<CodeKeys>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) budget: BudgetRule,
    pub(super) faults: Arc<dyn Faults>,
}

/// The writer thread, seen from outside. Dropping it lets the thread finish what waits, and waits for that.
pub(super) struct Writer {
    jobs: Option<SyncSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread on a connection that nobody else writes through.
    pub(super) fn start(connection: Connection, equipment: Equipment) -> Result<Self, StoreError> {
        let (jobs, waiting) = sync_channel(MAX_WAITING);
        let work = move || work(&connection, &equipment, &waiting);
        let thread = Builder::new().name("session-writer".to_owned()).spawn(work).map_err(unavailable)?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Has a step taken, and comes back when that is lasting.
    pub(super) async fn run<S: Step>(&self, step: S) -> Result<S::Verdict, StoreError> {
        self.send(move |desk: &mut Desk<'_, '_>, cx: &Context<'_>| step.take(desk.rows, cx)).await
    }

    /// Has some work done in the writer's transaction, and comes back when that is lasting.
    pub(super) async fn send<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Desk<'_, '_>, &Context<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Pending { work: Some(work), done: None, reply });
        match self.jobs.as_ref().map(|jobs| jobs.try_send(job)) {
            Some(Ok(())) => {}
            Some(Err(TrySendError::Full(_))) => return Err(unavailable("too many steps are waiting")),
            Some(Err(TrySendError::Disconnected(_))) | None => return Err(gone()),
        }
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the session store's writer had died");
        }
    }
}

fn gone() -> StoreError {
    unavailable("its writer has stopped")
}

/// What lies before the writer: the rows that steps use, and the broom.
pub(super) struct Desk<'d, 'c> {
    pub(super) rows: &'d mut SqliteRows<'c>,
    pub(super) sweeper: &'d mut Sweeper<'c>,
}

/// Work that waits for the writer.
trait Job: Send {
    /// Does it, and keeps what came of it. False: it must be undone.
    fn work(&mut self, desk: &mut Desk<'_, '_>, cx: &Context<'_>) -> bool;
    /// It could not be done, or not be made lasting.
    fn fail(&mut self, error: StoreError);
    /// Tells whoever waits.
    fn answer(self: Box<Self>);
}

struct Pending<W, T> {
    work: Option<W>,
    done: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, W> Job for Pending<W, T>
where
    T: Send,
    W: FnOnce(&mut Desk<'_, '_>, &Context<'_>) -> Result<T, StoreError> + Send,
{
    fn work(&mut self, desk: &mut Desk<'_, '_>, cx: &Context<'_>) -> bool {
        self.done = self.work.take().map(|work| work(desk, cx));
        matches!(self.done, Some(Ok(_)))
    }

    fn fail(&mut self, error: StoreError) {
        self.done = Some(Err(error));
    }

    fn answer(self: Box<Self>) {
        // Whoever asked may have gone; the step stands all the same.
        let _gone = self.reply.send(self.done.unwrap_or_else(|| Err(gone())));
    }
}

/// The thread's life: ends when nobody can send any more and nothing waits.
fn work(connection: &Connection, equipment: &Equipment, waiting: &Receiver<Box<dyn Job>>) {
    let mut group = match Group::new(connection, equipment) {
        Ok(group) => group,
        Err(error) => return tracing::error!(%error, "the session store cannot prepare its statements"),
    };
    while let Ok(first) = waiting.recv() {
        let mut jobs = Vec::with_capacity(MAX_GROUP);
        if let Err(error) = group.take(first, waiting, &mut jobs) {
            tracing::error!(%error, steps = jobs.len(), "the session store lost a transaction");
            for job in &mut jobs {
                job.fail(error.clone());
            }
        }
        for job in jobs {
            job.answer();
        }
    }
}

/// Takes groups of jobs, one transaction each.
struct Group<'c> {
    connection: &'c Connection,
    equipment: &'c Equipment,
    begin: Statement<'c>,
    commit: Statement<'c>,
    savepoint: Statement<'c>,
    release: Statement<'c>,
    undo: Statement<'c>,
    rows: SqliteRows<'c>,
    sweeper: Sweeper<'c>,
}

impl<'c> Group<'c> {
    fn new(connection: &'c Connection, equipment: &'c Equipment) -> Result<Self, StoreError> {
        let prepare = |sql: &str| connection.prepare(sql).map_err(unavailable);
        Ok(Self {
            connection,
            equipment,
            begin: prepare("BEGIN IMMEDIATE")?,
            commit: prepare("COMMIT")?,
            savepoint: prepare("SAVEPOINT step")?,
            release: prepare("RELEASE step")?,
            undo: prepare("ROLLBACK TO step")?,
            rows: SqliteRows::new(connection, &*equipment.faults)?,
            sweeper: Sweeper::new(connection)?,
        })
    }

    /// Takes `first` and whatever else waits by then. On an error none of them has happened.
    fn take(
        &mut self,
        first: Box<dyn Job>,
        waiting: &Receiver<Box<dyn Job>>,
        jobs: &mut Vec<Box<dyn Job>>,
    ) -> Result<(), StoreError> {
        jobs.push(first);
        let taken = self.transact(waiting, jobs);
        if taken.is_err() && !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK").map_err(unavailable)?;
        }
        taken
    }

    fn transact(&mut self, waiting: &Receiver<Box<dyn Job>>, jobs: &mut Vec<Box<dyn Job>>) -> Result<(), StoreError> {
        run(&mut self.begin)?;
        let mut next = jobs.pop();
        while let Some(mut job) = next {
            let stands = self.step(&mut *job);
            jobs.push(job);
            stands?;
            next = if jobs.len() < MAX_GROUP { waiting.try_recv().ok() } else { None };
        }
        self.strike(FaultPoint::Commit)?;
        run(&mut self.commit)?;
        self.strike(FaultPoint::Reply)
    }

    /// Takes one job. An error means that the whole transaction is lost, not this step alone.
    fn step(&mut self, job: &mut dyn Job) -> Result<(), StoreError> {
        run(&mut self.savepoint)?;
        let cx = Context { now: self.equipment.clock.now(), keys: &self.equipment.keys, budget: self.equipment.budget };
        let mut desk = Desk { rows: &mut self.rows, sweeper: &mut self.sweeper };
        let kept = catch_unwind(AssertUnwindSafe(|| job.work(&mut desk, &cx))).unwrap_or_else(|_| {
            job.fail(unavailable("a step failed by a bug"));
            false
        });
        // A full or broken disk makes SQLite undo everything by itself, the steps before this one too.
        if self.connection.is_autocommit() {
            return Err(unavailable("the disk is full or broken"));
        }
        if !kept {
            run(&mut self.undo)?;
        }
        run(&mut self.release)
    }

    fn strike(&self, point: FaultPoint) -> Result<(), StoreError> {
        if self.equipment.faults.strikes(point) { Err(unavailable("a fault was asked for")) } else { Ok(()) }
    }
}

fn run(statement: &mut Statement<'_>) -> Result<(), StoreError> {
    statement.execute(()).map(|_| ()).map_err(unavailable)
}
