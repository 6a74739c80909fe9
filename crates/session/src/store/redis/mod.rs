//! The engine for many nodes: one script a step, over Redis.
//!
//! The rules stand a second time here, in Lua (`lua/`); the model test holds the two copies against each other.

mod account;
mod answers;
mod link;
mod log;
mod names;
mod plan;
mod reads;
mod receipts;
mod scripts;
mod steps;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use countersign_model::{Clock, KeyId, Money, Partition, ProviderName, Reference, Scope, SessionId, TenantId, Timestamp};

use self::answers::Said;
use self::link::{Link, LinkError, Owner, Ran, Reply};
use self::plan::{Moment, Plan, ShapeSeen, account_key, head_key};
use self::steps::Means;
use super::verdicts::{
    Answer, Balance, CancelVerdict, CreditVerdict, Heard, LapseVerdict, NamedMessage, OpenVerdict, ParkedReceipt, ReceiveVerdict,
    RecordVerdict, SendAgainVerdict, StrikeVerdict, VerifyVerdict,
};
use super::{
    Advance, Cancel, Credit, Guard, Lapse, Listed, LogPage, NameQuery, Open, Receive, Record, Resend, SessionFilter,
    SessionStore, StoreError, Strike, Unblock, Verify, message_name,
};
use crate::code::CodeKeys;
use crate::session::Session;
use crate::session::packed::Writer;
use crate::subject::BudgetRule;

pub use link::{BarrierMode, Finding, Health, InvalidSetting, NodeFacts, NodeHealth, RedisServers, RedisSettings, Severity};

/// How often a script may ask for other codes before they keep changing under our hands.
const ASKED_BACK: usize = 4;

/// Sessions in Redis. A step that was answered survives what Redis survives; an answer that ends a session for good waits for a replica where
/// there is one.
pub struct RedisStore {
    link: Link,
    keys: Arc<CodeKeys>,
    budget: BudgetRule,
    shape: ShapeSeen,
    /// What time it is, where Redis is not to say.
    time: Option<Arc<dyn Clock>>,
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisStore")
    }
}

impl RedisStore {
    /// Reads the settings and begins to look for the servers, on the runtime that calls: it must live as long as the store. A Redis that is away
    /// makes steps fail, not the start. `clock` is the node's, which must not be far from Redis's.
    pub fn open(
        settings: RedisSettings,
        keys: Arc<CodeKeys>,
        clock: Arc<dyn Clock>,
        budget: BudgetRule,
    ) -> Result<Self, InvalidSetting> {
        // Under the key that does not rotate.
        let owner = Owner(keys.fingerprint(&[b"installation"]).0);
        let link = Link::open(settings, &scripts::ALL, owner, clock)?;
        Ok(Self { link, keys, budget, shape: ShapeSeen::new(), time: None })
    }

    /// The same at the time that a clock tells, in place of Redis's own: for tests, whose clocks stand still.
    #[must_use]
    pub fn at_time(mut self, time: Arc<dyn Clock>) -> Self {
        self.time = Some(time);
        self
    }

    /// For a node that starts: refuses a Redis that is another installation's, and makes one this installation's that nobody owns yet, as an
    /// earlier release left it. One that is away or empty is not refused here.
    pub async fn claim(&self) -> Result<(), InvalidSetting> {
        match self.link.claim().await {
            Err(LinkError::Foreign(setting)) => Err(setting),
            Err(error) => {
                tracing::warn!(%error, "whose data Redis holds is not known yet");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Makes an empty Redis a store of ours. Where a part of it holds data already it does so only if `force` says so: what was lost begins
    /// anew there, with limits unused and balances at nothing. `force` also makes another installation's store this one's, with what it holds.
    pub async fn init(&self, force: bool) -> Result<(), StoreError> {
        self.link.init(force).await.map_err(unavailable)
    }

    /// Makes a Redis that is empty everywhere a store of ours, and leaves one that is ours: only for a first start, when nobody can have used the
    /// installation yet.
    pub async fn init_if_empty(&self) -> Result<(), StoreError> {
        self.link.init_if_empty().await.map_err(unavailable)
    }

    /// What the servers said when they were last asked, a few seconds ago at most.
    #[must_use]
    pub fn health(&self) -> Arc<Health> {
        self.link.health()
    }

    /// Asks the servers now.
    pub async fn examine(&self) -> Arc<Health> {
        self.link.examine().await
    }

    fn means(&self) -> Means<'_> {
        Means { keys: &self.keys, budget: self.budget, log_max_events: self.link.settings().log_max_events }
    }

    async fn run(&self, plan: &Plan) -> Result<Reply, StoreError> {
        let moment = match &self.time {
            Some(clock) => Moment::Now(clock.now().millis()),
            None => Moment::UpTo(self.link.last_moment(plan.partition)),
        };
        self.link.call(&plan.call(moment)).await.map_err(refused)
    }

    /// New sends are refused while there is still memory for what is under way.
    fn check_memory(&self, scope: Scope) -> Result<(), StoreError> {
        if self.link.is_memory_low(scope.tenant.partition()) {
            return Err(unavailable(LinkError::Full));
        }
        Ok(())
    }

    /// Waits until a failover could not undo what an answer says for good.
    async fn barrier(&self, scope: Scope, ran: Ran) -> Result<(), StoreError> {
        self.link.barrier(scope.tenant.partition(), ran).await.map_err(unavailable)
    }
}

/// What is told of any trouble below.
fn unavailable(cause: impl fmt::Display) -> StoreError {
    StoreError::Unavailable(cause.to_string())
}

/// Values that a script may find unreadable.
const VALUES: [&str; 11] = ["name", "message", "session", "subject", "memo", "head", "account", "log", "index", "due", "key"];

/// What is told when a script came to nothing.
fn refused(error: LinkError) -> StoreError {
    let LinkError::Refused { word, detail, .. } = &error else { return unavailable(error) };
    match word.as_str() {
        "CORRUPT" => StoreError::Unreadable(VALUES.into_iter().find(|what| detail.starts_with(what)).unwrap_or("value")),
        "FULL" => unavailable("the log is full: nobody reads it"),
        "LATE" => unavailable("Redis stood still: nothing was done"),
        _ => unavailable(error),
    }
}

/// Whether a verification says something for good: a channel is proved, or nothing more is heard.
fn is_final(answer: &Answer<VerifyVerdict>) -> bool {
    let (Answer::Fresh(verdict) | Answer::Replayed(verdict)) = answer else { return false };
    match verdict {
        VerifyVerdict::Judged(_, judgement, _) => !judgement.verified_channels.is_empty() || judgement.attempts_remaining == 0,
        VerifyVerdict::AlreadyVerified(_) | VerifyVerdict::Canceled(_) | VerifyVerdict::Locked(_) => true,
        VerifyVerdict::Expired(_)
        | VerifyVerdict::ChannelNotFound(_)
        | VerifyVerdict::ChannelVerified(_)
        | VerifyVerdict::ChannelNeeded(_)
        | VerifyVerdict::RecipientBlocked { .. }
        | VerifyVerdict::Unknown => false,
    }
}

#[async_trait]
impl SessionStore for RedisStore {
    async fn open(&self, step: Open) -> Result<Heard<OpenVerdict>, StoreError> {
        self.check_memory(step.session.scope)?;
        let plan = self.means().open(&step)?;
        match answers::heard(self.run(&plan).await?.value, Some(step.guard.limit), answers::open)? {
            Said::Heard(heard) => Ok(heard),
            Said::Needs(_) => Err(StoreError::Unreadable("answer")),
        }
    }

    async fn record(&self, step: Record) -> Result<RecordVerdict, StoreError> {
        answers::record(self.run(&steps::record(&step)).await?.value)
    }

    async fn verify(&self, step: Verify) -> Result<Heard<VerifyVerdict>, StoreError> {
        let mut generations = steps::GUESSED.to_vec();
        for _ in 0..ASKED_BACK {
            let plan = self.means().verify(&step, &generations);
            let reply = self.run(&plan).await?;
            match answers::heard(reply.value, step.guard.map(|guard| guard.limit), answers::verify)? {
                Said::Heard(heard) => {
                    if is_final(&heard.answer) {
                        self.barrier(step.scope, reply.ran).await?;
                    }
                    return Ok(heard);
                }
                // Those that were sent may be among the digests as well.
                Said::Needs(parts) => generations.extend(answers::needed_generations(parts)?),
            }
        }
        Err(unavailable("the session's codes keep changing"))
    }

    async fn resend(&self, step: Resend) -> Result<Heard<SendAgainVerdict>, StoreError> {
        self.check_memory(step.scope)?;
        let plan = |shape, generations: &[u32]| self.means().resend(&step, shape, generations);
        self.send_again(step.guard.limit.into(), plan).await
    }

    async fn advance(&self, step: Advance) -> Result<Heard<SendAgainVerdict>, StoreError> {
        let plan = |shape, generations: &[u32]| self.means().advance(&step, shape, generations);
        self.send_again(step.guard.map(|guard| guard.limit), plan).await
    }

    async fn cancel(&self, step: Cancel) -> Result<Heard<CancelVerdict>, StoreError> {
        let reply = self.run(&steps::cancel(&step)).await?;
        let Said::Heard(heard) = answers::heard(reply.value, step.guard.map(|guard| guard.limit), answers::cancel)? else {
            return Err(StoreError::Unreadable("answer"));
        };
        if let Answer::Fresh(CancelVerdict::Canceled(_) | CancelVerdict::AlreadyVerified(_)) | Answer::Replayed(_) = heard.answer
        {
            self.barrier(step.scope, reply.ran).await?;
        }
        Ok(heard)
    }

    async fn lapse(&self, step: Lapse) -> Result<LapseVerdict, StoreError> {
        answers::lapse(self.run(&steps::lapse(&step)).await?.value)
    }

    async fn receive(&self, step: Receive) -> Result<ReceiveVerdict, StoreError> {
        receipts::received(self.run(&receipts::receive(&step)).await?.value)
    }

    async fn name_message(
        &self,
        through: &ProviderName,
        provider_id: &str,
        named: &NamedMessage,
    ) -> Result<Vec<ParkedReceipt>, StoreError> {
        self.name_of_message(message_name(&self.keys, through, provider_id), named).await
    }

    async fn find_message(
        &self,
        through: &ProviderName,
        provider_id: &str,
        receipt: &ParkedReceipt,
    ) -> Result<Option<NamedMessage>, StoreError> {
        self.message_of_name(message_name(&self.keys, through, provider_id), receipt).await
    }

    async fn is_sending(&self, message: Reference) -> Result<bool, StoreError> {
        let (_, found) = self.stored_session(message.scope, message.session).await?;
        Ok(found.is_some_and(|session| session.is_sending(message.message)))
    }

    async fn find(&self, scope: Scope, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.find_session(scope, id).await
    }

    async fn list(&self, scope: Scope, filter: SessionFilter, limit: usize) -> Result<Listed, StoreError> {
        self.list_sessions(scope, &filter, limit).await
    }

    /// Some of them may turn out to have nothing to do yet: a step that puts something off does not say so here.
    async fn due(&self, limit: usize) -> Result<Vec<(Scope, SessionId)>, StoreError> {
        self.due_sessions(limit).await
    }

    async fn named(&self, scope: Scope, query: NameQuery) -> Result<Vec<Session>, StoreError> {
        self.named_sessions(scope, &query).await
    }

    async fn strike(&self, step: Strike) -> Result<StrikeVerdict, StoreError> {
        names::struck(self.run(&names::strike(&step)).await?.value)
    }

    async fn unblock(&self, step: Unblock) -> Result<bool, StoreError> {
        names::unblocked(&self.run(&names::unblock(&step, self.budget)).await?.value)
    }

    async fn admit(&self, guard: Guard) -> Result<Heard<()>, StoreError> {
        match answers::heard(self.run(&steps::admit(&guard)).await?.value, Some(guard.limit), |_| Ok(()))? {
            Said::Heard(heard) => Ok(heard),
            Said::Needs(_) => Err(StoreError::Unreadable("answer")),
        }
    }

    async fn set_revision(&self, tenant: TenantId, revision: u64) -> Result<(), StoreError> {
        let mut out = Writer::new();
        out.array(2).int(i64::try_from(revision).unwrap_or(i64::MAX)).none();
        self.change_head(tenant, out).await
    }

    async fn revoke(&self, tenant: TenantId, key: KeyId) -> Result<(), StoreError> {
        let mut out = Writer::new();
        out.array(2).none().bytes(&key.bits().to_be_bytes());
        self.change_head(tenant, out).await
    }

    async fn revoked(&self, tenant: TenantId) -> Result<Vec<(KeyId, Timestamp)>, StoreError> {
        self.revoked_keys(tenant).await
    }

    async fn credit(&self, step: Credit) -> Result<CreditVerdict, StoreError> {
        account::credited(self.run(&account::credit(&step)).await?.value)
    }

    async fn balance(&self, tenant: TenantId) -> Result<Balance, StoreError> {
        let (_, packed) = self.peek(tenant.partition(), account_key(tenant)).await?;
        let balance = packed.map(|packed| account::balance(&packed)).transpose();
        balance.map(Option::unwrap_or_default).map_err(|_| StoreError::Unreadable("account"))
    }

    async fn cut(&self, tenant: TenantId) -> Result<(), StoreError> {
        account::answer(self.run(&account::cut(tenant)).await?.value).map(drop)
    }

    /// Holds the partition up while it looks at all its sessions for which something is still to come.
    async fn rebuild(&self, tenant: TenantId, ledger: Money, credits: u64) -> Result<Balance, StoreError> {
        account::answer(self.run(&account::rebuild(tenant, ledger, credits)).await?.value).map(|(_, balance)| balance)
    }

    async fn read_log(&self, partition: Partition, after: u64, limit: usize) -> Result<LogPage, StoreError> {
        self.log_page(partition, after, limit).await
    }

    async fn trim_log(&self, partition: Partition, sequence: u64, before: Timestamp) -> Result<(), StoreError> {
        self.trim(partition, sequence, before).await
    }

    async fn save_configuration(&self, copy: Vec<u8>) -> Result<(), StoreError> {
        self.put_configuration(copy).await
    }

    async fn saved_configuration(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.configuration().await
    }

    async fn has_configuration(&self) -> Result<bool, StoreError> {
        self.is_configuration_there().await
    }

    /// Redis forgets by itself: every value that is not for ever has a life, and an opening now and then drops what is old from its index.
    async fn sweep(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn memory_used(&self) -> Option<f64> {
        let health = self.link.health();
        let facts = health.nodes.iter().filter_map(|node| node.state.as_ref().ok());
        let fullest = facts.map(|facts| u32::try_from(facts.memory_percent()).unwrap_or(u32::MAX)).max()?;
        Some(f64::from(fullest) / 100.0)
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.link.ready().await.map_err(unavailable)
    }
}

impl RedisStore {
    /// A further send, with the codes that it will probably need; once more with others when it needs others.
    async fn send_again(
        &self,
        limit: Option<countersign_model::Limit>,
        plan: impl Fn(plan::Shape, &[u32]) -> Plan,
    ) -> Result<Heard<SendAgainVerdict>, StoreError> {
        let (mut shape, mut generations) = (self.shape.last(), steps::SENT_AGAIN.to_vec());
        for _ in 0..ASKED_BACK {
            let value = self.run(&plan(shape, &generations)).await?.value;
            match answers::heard(value, limit, answers::send_again)? {
                Said::Heard(heard) => return Ok(heard),
                Said::Needs(parts) => {
                    let needed = answers::needed_codes(parts)?;
                    (generations, shape) = (vec![needed.0], needed.1);
                    self.shape.note(shape);
                }
            }
        }
        Err(unavailable("the session's codes keep changing"))
    }

    async fn change_head(&self, tenant: TenantId, out: Writer) -> Result<(), StoreError> {
        self.run(&Plan::new(&scripts::HEAD, tenant.partition(), vec![head_key(tenant)], out)).await.map(drop)
    }
}
