//! The rows that an engine offers to a step, and the forms in which they are kept.

use std::time::Duration;

use countersign_model::{KeyId, KeyKind, LogEntry, Money, Reference, Scope, SessionId, TenantId, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use super::StoreError;
use super::verdicts::{Balance, NamedMessage, ParkedReceipt, Reply};
use crate::code::{Fingerprint, SubjectKey};
use crate::session::{Beside, Session};
use crate::subject::Subject;

/// What stands under an idempotency key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Memo {
    /// The body of the call that claimed the key.
    pub(crate) body: Fingerprint,
    /// How far that call is.
    pub(crate) state: MemoState,
    /// When the key means nothing any more, whether or not it has been swept by then.
    pub(crate) forget_at: Timestamp,
}

/// How far the call is that claimed an idempotency key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum MemoState {
    /// It opened or renewed this session and is handing messages over, until the lease ends.
    Running { session: SessionId, lease_until: Timestamp },
    /// It was answered.
    Answered(Reply),
}

/// How long a revoked key is remembered beside the records, which remember it for ever.
pub(crate) const REVOKED_KEPT: Duration = Duration::from_hours(24 * 30);

/// Sessions that one name keeps at most: the newest.
const NAMED_KEPT: usize = 64;

/// The sessions that a name stands for, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NameRow {
    named: Vec<Named>,
}

/// A session that a name stands for, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Named {
    pub(crate) session: SessionId,
    pub(crate) keys: KeyKind,
    pub(crate) until: Timestamp,
}

impl NameRow {
    /// Of one session alone.
    pub(crate) fn of(one: Named) -> Self {
        Self { named: vec![one] }
    }

    /// Those for which it still stands.
    pub(crate) fn living(&self, now: Timestamp) -> impl Iterator<Item = Named> {
        self.named.iter().copied().filter(move |one| one.until > now)
    }

    /// Adds one more, and drops those for which it stands no more.
    pub(crate) fn add(&mut self, one: Named, now: Timestamp) {
        self.named.retain(|known| known.until > now && known.session != one.session);
        self.named.push(one);
        let forgotten = self.named.len().saturating_sub(NAMED_KEPT);
        self.named.drain(..forgotten);
    }

    /// When it stands for nothing any more.
    pub(crate) fn forget_at(&self) -> Timestamp {
        self.named.iter().map(|one| one.until).max().unwrap_or(Timestamp::from_millis(0))
    }
}

/// How long a provider's name of a message is kept.
pub(crate) const MESSAGE_NAMED: Duration = Duration::from_hours(72);
/// How long a receipt waits for its message to be named, and how many wait for one.
pub(crate) const RECEIPT_PARKED: Duration = Duration::from_mins(10);
pub(crate) const MOST_PARKED: usize = 8;

/// What a provider's own name of a message stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MessageRow {
    /// The message, and until when the name stands for it.
    named: Option<(Reference, Timestamp)>,
    /// Receipts that came before it was named, and until when each is kept. They stay when it is named: whoever did not hear of them asks again.
    parked: Vec<(ParkedReceipt, Timestamp)>,
    /// The names of all parts of the message. Rows that were written when nobody asked for them end before it.
    #[serde(deserialize_with = "or_none")]
    parts: Vec<String>,
}

#[expect(clippy::unnecessary_wraps, reason = "serde asks for the form")]
fn or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(Vec::deserialize(deserializer).unwrap_or_default())
}

impl MessageRow {
    /// The message for which it stands.
    pub(crate) fn named(&self, now: Timestamp) -> Option<NamedMessage> {
        let (reference, _) = self.named.filter(|(_, until)| *until > now)?;
        Some(NamedMessage { reference, parts: self.parts.clone() })
    }

    /// Names a message, the newest one that is so called, and hands out the receipts that waited for it.
    pub(crate) fn name(&mut self, message: &NamedMessage, now: Timestamp) -> Vec<ParkedReceipt> {
        let is_other = self.named.is_some_and(|(known, _)| known != message.reference || self.parts != message.parts);
        self.parked.retain(|(_, until)| *until > now && !is_other);
        self.named = Some((message.reference, now.plus(MESSAGE_NAMED)));
        self.parts.clone_from(&message.parts);
        self.parked.iter().map(|(receipt, _)| receipt.clone()).collect()
    }

    /// Lets a receipt wait. False for one that waits already.
    pub(crate) fn park(&mut self, receipt: &ParkedReceipt, now: Timestamp) -> bool {
        self.named = None;
        self.parts.clear();
        self.parked.retain(|(_, until)| *until > now);
        if self.parked.iter().any(|(known, _)| known == receipt) {
            return false;
        }
        if self.parked.len() == MOST_PARKED {
            self.parked.remove(0);
        }
        self.parked.push((receipt.clone(), now.plus(RECEIPT_PARKED)));
        true
    }

    /// When it stands for nothing any more.
    pub(crate) fn forget_at(&self) -> Timestamp {
        let named = self.named.map(|(_, until)| until);
        self.parked.iter().map(|(_, until)| *until).chain(named).max().unwrap_or(Timestamp::from_millis(0))
    }
}

/// What every node must know of a tenant at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// The newest revision of its records that was told.
    pub(crate) revision: u64,
    /// Keys that were revoked lately, and until when that is remembered here.
    revoked: Vec<(KeyId, Timestamp)>,
}

impl Head {
    pub(crate) fn has_revoked(&self, key: KeyId, now: Timestamp) -> bool {
        self.revoked.iter().any(|(revoked, until)| *revoked == key && *until > now)
    }

    pub(crate) fn revoke(&mut self, key: KeyId, until: Timestamp, now: Timestamp) {
        self.revoked.retain(|(known, until)| *known != key && *until > now);
        self.revoked.push((key, until));
    }

    /// Keys, and when each was revoked.
    pub(crate) fn revoked(&self) -> Vec<(KeyId, Timestamp)> {
        self.revoked.iter().map(|(key, until)| (*key, until.minus(REVOKED_KEPT))).collect()
    }
}

/// Refused credits that an account remembers. Credits are asked for again only while they are on their way into the records.
pub(crate) const REFUSED_KEPT: usize = 64;

/// A tenant's balance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// Credits less captures.
    pub(crate) balance: Money,
    /// The part of it that sessions hold.
    pub(crate) held: Money,
    /// The number of the last credit in it.
    pub(crate) credits: u64,
    /// The newest of the credits that did not fit and moved nothing, by their numbers: whoever asks again hears the same.
    pub(crate) refused: Vec<u64>,
    /// Whether the tenant has heard that it is low.
    pub(crate) low_told: bool,
    /// The number of its last event.
    pub(crate) events: u32,
}

impl Account {
    /// What sends can still be paid from.
    pub(crate) fn available(&self) -> Money {
        self.balance - self.held
    }

    pub(crate) const fn view(&self) -> Balance {
        Balance { balance: self.balance, held: self.held, credits: self.credits }
    }
}

/// One step's view of a store. Whatever a step reads and writes through it happens as a whole or not at all.
pub(crate) trait Rows {
    fn session(&mut self, scope: Scope, id: SessionId) -> Result<Option<Session>, StoreError>;
    fn put_session(&mut self, session: &Session) -> Result<(), StoreError>;
    fn drop_session(&mut self, scope: Scope, id: SessionId) -> Result<(), StoreError>;
    fn subject(&mut self, key: SubjectKey) -> Result<Option<Subject>, StoreError>;
    fn put_subject(&mut self, key: SubjectKey, subject: &Subject, forget_at: Timestamp) -> Result<(), StoreError>;
    fn memo(&mut self, key: Fingerprint) -> Result<Option<Memo>, StoreError>;
    fn put_memo(&mut self, key: Fingerprint, memo: &Memo) -> Result<(), StoreError>;
    fn drop_memo(&mut self, key: Fingerprint) -> Result<(), StoreError>;
    fn name(&mut self, key: Fingerprint) -> Result<Option<NameRow>, StoreError>;
    /// Kept until [`NameRow::forget_at`] at least.
    fn put_name(&mut self, key: Fingerprint, row: &NameRow) -> Result<(), StoreError>;
    fn message(&mut self, key: Fingerprint) -> Result<Option<MessageRow>, StoreError>;
    /// Kept until [`MessageRow::forget_at`] at least.
    fn put_message(&mut self, key: Fingerprint, row: &MessageRow) -> Result<(), StoreError>;
    fn head(&mut self, tenant: TenantId) -> Result<Option<Head>, StoreError>;
    fn put_head(&mut self, tenant: TenantId, head: &Head) -> Result<(), StoreError>;
    fn account(&mut self, tenant: TenantId) -> Result<Option<Account>, StoreError>;
    fn put_account(&mut self, tenant: TenantId, account: &Account) -> Result<(), StoreError>;
    /// Appends an entry; its sequence is the engine's to give.
    fn append(&mut self, entry: &LogEntry) -> Result<(), StoreError>;
}

/// First byte of every packed value: which layout follows.
const LAYOUT: u8 = 1;

/// Room for a usual session, so that packing one does not grow its buffer step by step.
const USUAL_SIZE: usize = 1024;

/// A value in the form in which it is kept: the layout's number, then postcard.
pub(crate) fn pack<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    let mut packed = Vec::with_capacity(USUAL_SIZE);
    packed.push(LAYOUT);
    postcard::to_extend(value, packed).map_err(|_| StoreError::Unreadable("value"))
}

/// A session in the form in which it is kept: what it was kept with at first, then what else there is.
pub(crate) fn pack_session(session: &Session) -> Result<Vec<u8>, StoreError> {
    let packed = pack(session)?;
    match session.beside() {
        Some(beside) => postcard::to_extend(&beside, packed).map_err(|_| StoreError::Unreadable("session")),
        None => Ok(packed),
    }
}

/// Reads a session that this release or the one before it wrote.
pub(crate) fn unpack_session(bytes: &[u8]) -> Result<Session, StoreError> {
    let unreadable = |_| StoreError::Unreadable("session");
    let Some((&LAYOUT, packed)) = bytes.split_first() else { return Err(StoreError::Unreadable("session")) };
    let (session, rest): (Session, _) = postcard::take_from_bytes(packed).map_err(unreadable)?;
    if rest.is_empty() {
        return Ok(session);
    }
    let beside: Beside = postcard::from_bytes(rest).map_err(unreadable)?;
    Ok(session.with_beside(beside))
}

/// Reads a value of the layout that this release writes.
pub(crate) fn unpack<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((&LAYOUT, packed)) => postcard::from_bytes(packed).map_err(|_| StoreError::Unreadable(what)),
        _ => Err(StoreError::Unreadable(what)),
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::{MessageId, Report};

    use super::*;

    #[test]
    fn a_name_that_was_kept_before_messages_had_parts_stands_for_a_whole_one() {
        let scope = Scope { tenant: TenantId::from_bits(5), keys: KeyKind::Live };
        let reference = Reference { scope, session: SessionId::from_bits(21), message: MessageId::from_bits(37) };
        let until = Timestamp::from_millis(10);
        let parked = ParkedReceipt { report: Report::Delivered, at: None, carrier: None };
        let before = (Some((reference, until)), vec![(parked, until)]);
        let row: MessageRow = unpack("message", &pack(&before).unwrap()).unwrap();
        assert_eq!(row.named(Timestamp::from_millis(9)), Some(NamedMessage::whole(reference)));
        assert_eq!((&row.named, &row.parked), (&before.0, &before.1));
        let in_parts = MessageRow { parts: vec!["7".to_owned(), "8".to_owned()], ..row };
        assert_eq!(unpack::<MessageRow>("message", &pack(&in_parts).unwrap()).unwrap(), in_parts);
    }
}
