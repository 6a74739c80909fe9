//! Steps of every kind, for sentences that hold for all of them.

use std::fmt::Debug;
use std::sync::Arc;

use countersign_model::{KeyId, ProviderName, Quota, TenantId};

use crate::store::{
    Advance, Cancel, Credit, Guard, Heard, Lapse, NamedMessage, Open, ParkedReceipt, Receive, Record, Resend, SessionStore,
    StoreError, Strike, Unblock, Verify,
};

/// What came of a step, in words. A repeated step answers the same, but counts no call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) answer: String,
    pub(super) quota: Option<Quota>,
}

/// A step of any kind.
#[derive(Debug, Clone)]
pub(super) enum AnyStep {
    Open(Box<Open>),
    Record(Record),
    Verify(Verify),
    Resend(Resend),
    Advance(Advance),
    Cancel(Cancel),
    Lapse(Lapse),
    Receive(Receive),
    NameMessage(String, NamedMessage),
    FindMessage(String, ParkedReceipt),
    Credit(Credit),
    Cut(TenantId),
    Strike(Strike),
    Unblock(Unblock),
    Admit(Guard),
    SetRevision(TenantId, u64),
    Revoke(TenantId, KeyId),
}

fn house() -> ProviderName {
    ProviderName::new("house")
}

impl AnyStep {
    /// Takes it, and tells what came of it in words.
    pub(super) async fn take(&self, store: &Arc<dyn SessionStore>) -> Result<Told, StoreError> {
        fn told(verdict: impl Debug) -> Told {
            Told { answer: format!("{verdict:#?}"), quota: None }
        }
        fn heard<V: Debug>(heard: Heard<V>) -> Told {
            Told { quota: heard.quota, ..told(heard.answer) }
        }
        match self.clone() {
            Self::Open(step) => store.open(*step).await.map(heard),
            Self::Record(step) => store.record(step).await.map(told),
            Self::Verify(step) => store.verify(step).await.map(heard),
            Self::Resend(step) => store.resend(step).await.map(heard),
            Self::Advance(step) => store.advance(step).await.map(heard),
            Self::Cancel(step) => store.cancel(step).await.map(heard),
            Self::Lapse(step) => store.lapse(step).await.map(told),
            Self::Receive(step) => store.receive(step).await.map(told),
            Self::NameMessage(id, message) => store.name_message(&house(), &id, &message).await.map(told),
            Self::FindMessage(id, receipt) => store.find_message(&house(), &id, &receipt).await.map(told),
            Self::Credit(step) => store.credit(step).await.map(told),
            Self::Cut(tenant) => store.cut(tenant).await.map(told),
            Self::Strike(step) => store.strike(step).await.map(told),
            Self::Unblock(step) => store.unblock(step).await.map(told),
            Self::Admit(guard) => store.admit(guard).await.map(heard),
            Self::SetRevision(tenant, revision) => store.set_revision(tenant, revision).await.map(told),
            Self::Revoke(tenant, key) => store.revoke(tenant, key).await.map(told),
        }
    }
}
