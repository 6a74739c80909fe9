//! Delivery receipts: whose session they are about, what they say, and which message a provider means.

use countersign_model::{MessageId, Partition, Reference, Report, Scope, SessionId};
use redis::Value;

use super::RedisStore;
use super::answers::{Parts, session};
use super::plan::{Plan, due_key, log_key, message_key, session_key};
use super::scripts;
use crate::code::Fingerprint;
use crate::session::packed::{Malformed, Writer, scope as read_scope, undelivered_number};
use crate::store::{ParkedReceipt, Receive, ReceiveVerdict, StoreError};

impl RedisStore {
    /// Two calls: whose a session is never changes, and names the keys of the step.
    pub(super) async fn receive_receipt(&self, step: &Receive) -> Result<ReceiveVerdict, StoreError> {
        let id = step.reference.session;
        let scope = match self.run(&find(id)).await?.value {
            Value::Nil => return Ok(ReceiveVerdict::Unknown),
            Value::BulkString(scope) => read_scope(scope.try_into().map_err(|_| Malformed)?)?,
            _ => return Err(Malformed.into()),
        };
        received(self.run(&receive(step, scope)).await?.value)
    }

    pub(super) async fn name_of_message(&self, key: Fingerprint, reference: Reference) -> Result<Vec<ParkedReceipt>, StoreError> {
        let answer = self.run(&name_message(key, reference)).await?.value;
        let mut parts = Parts::of(answer)?;
        let mut waited = Vec::new();
        while let Some(packed) = parts.next_bytes()? {
            waited.push(postcard::from_bytes(&packed).map_err(|_| StoreError::Unreadable("message"))?);
        }
        Ok(waited)
    }

    pub(super) async fn message_of_name(
        &self,
        key: Fingerprint,
        receipt: &ParkedReceipt,
    ) -> Result<Option<Reference>, StoreError> {
        let answer = self.run(&find_message(key, receipt)?).await?.value;
        let found = Parts::of(answer)?.next_bytes()?;
        Ok(found.map(|packed| read_reference(&packed)).transpose()?)
    }
}

pub(super) fn find(id: SessionId) -> Plan {
    let mut out = Writer::new();
    out.array(1).bytes(&id.bits().to_be_bytes());
    Plan::new(&scripts::FIND, id.partition(), vec![due_key()], out)
}

pub(super) fn receive(step: &Receive, scope: Scope) -> Plan {
    let Reference { session, message } = step.reference;
    let report = match step.report {
        Report::Underway => 0,
        Report::Delivered => 1,
        Report::Undelivered(reason) => 2 + undelivered_number(reason),
    };
    let mut out = Writer::new();
    out.array(5).bytes(&message.bits().to_be_bytes()).bytes(step.through.as_str().as_bytes()).int(report);
    out.int_or_none(step.at.map(countersign_model::Timestamp::millis));
    out.bytes_or_none(step.carrier.as_ref().map(String::as_bytes));
    let keys = vec![session_key(scope, session), log_key(), due_key()];
    Plan::new(&scripts::RECEIVE, session.partition(), keys, out)
}

fn received(value: Value) -> Result<ReceiveVerdict, StoreError> {
    let mut parts = Parts::of(value)?;
    parts.moment()?;
    match parts.int::<u8>()? {
        0 => Ok(ReceiveVerdict::Changed(Box::new(session(&parts.bytes()?)?))),
        1 => Ok(ReceiveVerdict::Unchanged),
        2 => Ok(ReceiveVerdict::Unknown),
        _ => Err(Malformed.into()),
    }
}

/// Where the name of a message is kept: it belongs to no tenant, so that the name itself says in which partition.
fn place(key: Fingerprint) -> Partition {
    Partition::of(u128::from_be_bytes(key.0))
}

pub(super) fn name_message(key: Fingerprint, reference: Reference) -> Plan {
    let mut out = Writer::new();
    let (session, message) = (reference.session.bits().to_be_bytes(), reference.message.bits().to_be_bytes());
    out.array(2).bytes(&[session, message].concat()).none();
    Plan::new(&scripts::MESSAGE, place(key), vec![message_key(key)], out)
}

pub(super) fn find_message(key: Fingerprint, receipt: &ParkedReceipt) -> Result<Plan, StoreError> {
    let packed = postcard::to_stdvec(receipt).map_err(|_| StoreError::Unreadable("message"))?;
    let mut out = Writer::new();
    out.array(2).none().bytes(&packed);
    Ok(Plan::new(&scripts::MESSAGE, place(key), vec![message_key(key)], out))
}

fn read_reference(packed: &[u8]) -> Result<Reference, Malformed> {
    let Some((session, message)) = packed.split_first_chunk::<16>() else { return Err(Malformed) };
    let message = message.try_into().map_err(|_| Malformed)?;
    Ok(Reference {
        session: SessionId::from_bits(u128::from_be_bytes(*session)),
        message: MessageId::from_bits(u128::from_be_bytes(message)),
    })
}
