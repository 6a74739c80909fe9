//! The embedded engine: one file, one writer, readers beside it.

mod reads;
mod rows;
mod schema;
mod sweep;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use countersign_model::{Clock, KeyId, Money, Partition, ProviderName, Reference, Scope, SessionId, TenantId, Timestamp};
use rusqlite::Connection;

use self::reads::Readers;
use self::writer::{Equipment, Writer};
use super::faults::{Faults, NoFaults};
use super::steps::{
    Admit, Advance, Cancel, Credit, Cut, FindMessage, Guard, Lapse, NameMessage, Open, Rebuild, Receive, Record, Resend, Revoke,
    SetRevision, Step as _, Strike, Unblock, Verify,
};
use super::verdicts::{
    Balance, CancelVerdict, CreditVerdict, Heard, LapseVerdict, NamedMessage, OpenVerdict, ParkedReceipt, ReceiveVerdict,
    RecordVerdict, SendAgainVerdict, StrikeVerdict, VerifyVerdict,
};
use super::{Listed, LogPage, NameQuery, SessionFilter, SessionStore, StoreError, message_name, newest_first};
use crate::code::CodeKeys;
use crate::session::Session;
use crate::subject::BudgetRule;

/// Turns of the broom in one sweep. Steps go on between them.
const SWEEP_TURNS: usize = 32;

/// Where the embedded engine keeps its file.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// The database file; what SQLite needs beside it lies in the same directory. Made on first use, readable by its owner only.
    pub path: PathBuf,
}

/// Sessions in one `SQLite` file. A step that was answered survives the death of the process.
///
/// Dropping it finishes the steps that wait, and blocks until they are done.
pub struct SqliteStore {
    // Before the writer, so that its connection is the last to go and tidies up.
    readers: Readers,
    writer: Writer,
    keys: Arc<CodeKeys>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteStore")
    }
}

impl SqliteStore {
    /// Opens the file, making it on first use. Fails when it cannot be written or has a layout from the future.
    pub fn open(
        options: SqliteOptions,
        keys: Arc<CodeKeys>,
        clock: Arc<dyn Clock>,
        budget: BudgetRule,
    ) -> Result<Self, StoreError> {
        Self::open_with_faults(options, keys, clock, budget, Arc::new(NoFaults))
    }

    /// The same, breaking where it is told to: for the contract suite.
    #[doc(hidden)]
    pub fn open_with_faults(
        options: SqliteOptions,
        keys: Arc<CodeKeys>,
        clock: Arc<dyn Clock>,
        budget: BudgetRule,
        faults: Arc<dyn Faults>,
    ) -> Result<Self, StoreError> {
        let connection = schema::open_writer(&options)?;
        Self::start(connection, options, Equipment { keys, clock, budget, faults })
    }

    fn start(connection: Connection, options: SqliteOptions, equipment: Equipment) -> Result<Self, StoreError> {
        let (keys, clock) = (Arc::clone(&equipment.keys), Arc::clone(&equipment.clock));
        Ok(Self { readers: Readers::new(options.path), writer: Writer::start(connection, equipment)?, keys, clock })
    }
}

/// What is told of any trouble below.
fn unavailable(cause: impl fmt::Display) -> StoreError {
    StoreError::Unavailable(cause.to_string())
}

#[async_trait]
impl SessionStore for SqliteStore {
    async fn open(&self, step: Open) -> Result<Heard<OpenVerdict>, StoreError> {
        self.writer.run(step).await
    }

    async fn record(&self, step: Record) -> Result<RecordVerdict, StoreError> {
        self.writer.run(step).await
    }

    async fn verify(&self, step: Verify) -> Result<Heard<VerifyVerdict>, StoreError> {
        self.writer.run(step).await
    }

    async fn resend(&self, step: Resend) -> Result<Heard<SendAgainVerdict>, StoreError> {
        self.writer.run(step).await
    }

    async fn advance(&self, step: Advance) -> Result<Heard<SendAgainVerdict>, StoreError> {
        self.writer.run(step).await
    }

    async fn cancel(&self, step: Cancel) -> Result<Heard<CancelVerdict>, StoreError> {
        self.writer.run(step).await
    }

    async fn lapse(&self, step: Lapse) -> Result<LapseVerdict, StoreError> {
        self.writer.run(step).await
    }

    async fn receive(&self, step: Receive) -> Result<ReceiveVerdict, StoreError> {
        self.writer.run(step).await
    }

    async fn name_message(
        &self,
        through: &ProviderName,
        provider_id: &str,
        named: &NamedMessage,
    ) -> Result<Vec<ParkedReceipt>, StoreError> {
        self.writer.run(NameMessage { key: message_name(&self.keys, through, provider_id), message: named.clone() }).await
    }

    async fn find_message(
        &self,
        through: &ProviderName,
        provider_id: &str,
        receipt: &ParkedReceipt,
    ) -> Result<Option<NamedMessage>, StoreError> {
        self.writer.run(FindMessage { key: message_name(&self.keys, through, provider_id), receipt: receipt.clone() }).await
    }

    async fn is_sending(&self, message: Reference) -> Result<bool, StoreError> {
        let Reference { scope, session, message } = message;
        let found = self.readers.read(move |connection| reads::find(connection, scope, session)).await?;
        Ok(found.is_some_and(|session| session.is_sending(message)))
    }

    async fn find(&self, scope: Scope, id: SessionId) -> Result<Option<Session>, StoreError> {
        let now = self.clock.now();
        let found = self.readers.read(move |connection| reads::find(connection, scope, id)).await?;
        Ok(found.filter(|session| session.is_there(now)))
    }

    async fn named(&self, scope: Scope, query: NameQuery) -> Result<Vec<Session>, StoreError> {
        let (now, names) = (self.clock.now(), query.names(scope.tenant, &self.keys));
        let found = self.readers.read(move |connection| reads::named(connection, scope, &names, now)).await?;
        Ok(newest_first(found.into_iter(), now))
    }

    async fn list(&self, scope: Scope, filter: SessionFilter, limit: usize) -> Result<Listed, StoreError> {
        let now = self.clock.now();
        self.readers.read(move |connection| reads::list(connection, scope, &filter, limit, now)).await
    }

    async fn due(&self, limit: usize) -> Result<Vec<(Scope, SessionId)>, StoreError> {
        let now = self.clock.now();
        self.readers.read(move |connection| reads::due(connection, now, limit)).await
    }

    async fn strike(&self, step: Strike) -> Result<StrikeVerdict, StoreError> {
        self.writer.run(step).await
    }

    async fn unblock(&self, step: Unblock) -> Result<bool, StoreError> {
        self.writer.run(step).await
    }

    async fn admit(&self, guard: Guard) -> Result<Heard<()>, StoreError> {
        self.writer.run(Admit { guard }).await
    }

    async fn set_revision(&self, tenant: TenantId, revision: u64) -> Result<(), StoreError> {
        self.writer.run(SetRevision { tenant, revision }).await
    }

    async fn revoke(&self, tenant: TenantId, key: KeyId) -> Result<(), StoreError> {
        self.writer.run(Revoke { tenant, key }).await
    }

    async fn revoked(&self, tenant: TenantId) -> Result<Vec<(KeyId, Timestamp)>, StoreError> {
        self.readers.read(move |connection| reads::revoked(connection, tenant)).await
    }

    async fn credit(&self, step: Credit) -> Result<CreditVerdict, StoreError> {
        self.writer.run(step).await
    }

    async fn balance(&self, tenant: TenantId) -> Result<Balance, StoreError> {
        self.readers.read(move |connection| reads::balance(connection, tenant)).await
    }

    async fn cut(&self, tenant: TenantId) -> Result<(), StoreError> {
        self.writer.run(Cut { tenant }).await
    }

    /// What sessions hold is summed in the writer's transaction: no step comes between.
    async fn rebuild(&self, tenant: TenantId, ledger: Money, credits: u64) -> Result<Balance, StoreError> {
        self.writer
            .send(move |desk, cx| {
                let held = desk.rows.held(tenant)?;
                Rebuild { tenant, balance: ledger, held, credits }.take(desk.rows, cx)?;
                Ok(Balance { balance: ledger, held, credits })
            })
            .await
    }

    async fn read_log(&self, partition: Partition, after: u64, limit: usize) -> Result<LogPage, StoreError> {
        self.readers.read(move |connection| reads::read_log(connection, partition, after, limit)).await
    }

    async fn trim_log(&self, partition: Partition, sequence: u64, before: Timestamp) -> Result<(), StoreError> {
        for _ in 0..SWEEP_TURNS {
            if self.writer.send(move |desk, _| desk.sweeper.trim(partition, sequence, before)).await? {
                break;
            }
        }
        Ok(())
    }

    async fn save_configuration(&self, copy: Vec<u8>) -> Result<(), StoreError> {
        self.writer.send(move |desk, _| desk.rows.put_configuration(&copy)).await
    }

    async fn saved_configuration(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.readers.read(reads::configuration).await
    }

    async fn has_configuration(&self) -> Result<bool, StoreError> {
        Ok(self.saved_configuration().await?.is_some())
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        for _ in 0..SWEEP_TURNS {
            if self.writer.send(move |desk, cx| desk.sweeper.turn(cx.now)).await? {
                break;
            }
        }
        Ok(())
    }

    fn memory_used(&self) -> Option<f64> {
        None
    }

    /// Writes a row, so that a full disk is noticed as well as a writer that is gone.
    async fn ready(&self) -> Result<(), StoreError> {
        self.writer.send(|desk, cx| desk.rows.mark(cx.now)).await
    }
}
