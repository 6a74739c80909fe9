//! Delivery receipts: what they say, and which message a provider means.

use countersign_model::{MessageId, Partition, Reference, Report, SessionId};
use redis::Value;

use super::RedisStore;
use super::answers::{Parts, session};
use super::plan::{Plan, due_key, log_key, message_key, session_key};
use super::scripts;
use crate::code::Fingerprint;
use crate::session::packed::{Malformed, Writer, scope as read_scope, scope_bytes, undelivered_number};
use crate::store::{NamedMessage, ParkedReceipt, Receive, ReceiveVerdict, StoreError};

impl RedisStore {
    pub(super) async fn name_of_message(
        &self,
        key: Fingerprint,
        message: &NamedMessage,
    ) -> Result<Vec<ParkedReceipt>, StoreError> {
        let answer = self.run(&name_message(key, message)?).await?.value;
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
    ) -> Result<Option<NamedMessage>, StoreError> {
        let answer = self.run(&find_message(key, receipt)?).await?.value;
        let found = Parts::of(answer)?.next_bytes()?;
        found.map(|packed| read_message(&packed)).transpose()
    }
}

pub(super) fn receive(step: &Receive) -> Plan {
    let Reference { scope, session, message } = step.reference;
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
    Plan::new(&scripts::RECEIVE, scope.tenant.partition(), keys, out)
}

pub(super) fn received(value: Value) -> Result<ReceiveVerdict, StoreError> {
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

pub(super) fn name_message(key: Fingerprint, named: &NamedMessage) -> Result<Plan, StoreError> {
    let Reference { scope, session, message } = named.reference;
    let mut packed = [&scope_bytes(scope)[..], &session.bits().to_be_bytes(), &message.bits().to_be_bytes()].concat();
    // The script takes it as it is: where there are no parts, nothing stands behind the reference.
    if !named.parts.is_empty() {
        packed = postcard::to_extend(&named.parts, packed).map_err(|_| StoreError::Unreadable("message"))?;
    }
    let mut out = Writer::new();
    out.array(2).bytes(&packed).none();
    Ok(Plan::new(&scripts::MESSAGE, place(key), vec![message_key(key)], out))
}

pub(super) fn find_message(key: Fingerprint, receipt: &ParkedReceipt) -> Result<Plan, StoreError> {
    let packed = postcard::to_stdvec(receipt).map_err(|_| StoreError::Unreadable("message"))?;
    let mut out = Writer::new();
    out.array(2).none().bytes(&packed);
    Ok(Plan::new(&scripts::MESSAGE, place(key), vec![message_key(key)], out))
}

fn read_message(packed: &[u8]) -> Result<NamedMessage, StoreError> {
    let Some((scope, rest)) = packed.split_first_chunk::<17>() else { return Err(Malformed.into()) };
    let Some((session, rest)) = rest.split_first_chunk::<16>() else { return Err(Malformed.into()) };
    let Some((message, parts)) = rest.split_first_chunk::<16>() else { return Err(Malformed.into()) };
    let reference = Reference {
        scope: read_scope(*scope)?,
        session: SessionId::from_bits(u128::from_be_bytes(*session)),
        message: MessageId::from_bits(u128::from_be_bytes(*message)),
    };
    if parts.is_empty() {
        return Ok(NamedMessage::whole(reference));
    }
    let parts = postcard::from_bytes(parts).map_err(|_| StoreError::Unreadable("message"))?;
    Ok(NamedMessage { reference, parts })
}
