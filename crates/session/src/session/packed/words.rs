//! The numbers that stand for words in packed values. None of them may ever change its meaning.

use countersign_model::{
    Attempt, Channel, FailureReason, KeyKind, MessageStatus, Mode, ProviderName, ReceiptFailover, Scope, TenantId, Undelivered,
};

use super::wire::{Malformed, Reader, Writer};

/// Where the reasons of failed attempts begin.
const FAILED: u8 = 3;

pub(crate) fn channel(tag: u8) -> Result<Channel, Malformed> {
    Channel::ALL.into_iter().find(|channel| channel.tag() == tag).ok_or(Malformed)
}

/// One byte a channel.
pub(crate) fn channels(tags: &[u8]) -> Result<Vec<Channel>, Malformed> {
    tags.iter().map(|tag| channel(*tag)).collect()
}

pub(crate) fn channel_tags(channels: &[Channel]) -> Vec<u8> {
    channels.iter().map(|channel| channel.tag()).collect()
}

pub(crate) const fn mode_number(mode: Mode) -> u8 {
    match mode {
        Mode::Live => 0,
        Mode::Sandbox => 1,
    }
}

pub(crate) const fn mode(number: u8) -> Result<Mode, Malformed> {
    match number {
        0 => Ok(Mode::Live),
        1 => Ok(Mode::Sandbox),
        _ => Err(Malformed),
    }
}

/// A scope as names of keys have it: tenant, kind of key.
pub(crate) fn scope_bytes(scope: Scope) -> [u8; 17] {
    let mut bytes = [0; 17];
    bytes[..16].copy_from_slice(&scope.tenant.bits().to_be_bytes());
    bytes[16] = match scope.keys {
        KeyKind::Live => 0,
        KeyKind::Test => 1,
    };
    bytes
}

pub(crate) fn scope(bytes: [u8; 17]) -> Result<Scope, Malformed> {
    let keys = match bytes[16] {
        0 => KeyKind::Live,
        1 => KeyKind::Test,
        _ => return Err(Malformed),
    };
    let tenant = std::array::from_fn(|at| bytes[at]);
    Ok(Scope { tenant: TenantId::from_bits(u128::from_be_bytes(tenant)), keys })
}

pub(crate) const fn reason_number(reason: FailureReason) -> u8 {
    match reason {
        FailureReason::Refused => 0,
        FailureReason::Throttled => 1,
        FailureReason::Unreachable => 2,
        FailureReason::ProviderUnavailable => 3,
    }
}

pub(crate) const fn reason(number: u8) -> Result<FailureReason, Malformed> {
    match number {
        0 => Ok(FailureReason::Refused),
        1 => Ok(FailureReason::Throttled),
        2 => Ok(FailureReason::Unreachable),
        3 => Ok(FailureReason::ProviderUnavailable),
        _ => Err(Malformed),
    }
}

pub(crate) const fn undelivered_number(reason: Undelivered) -> u8 {
    match reason {
        Undelivered::NotThere => 0,
        Undelivered::Rejected => 1,
        Undelivered::Expired => 2,
        Undelivered::Unreachable => 3,
        Undelivered::Unknown => 4,
    }
}

pub(crate) const fn undelivered(number: u8) -> Result<Undelivered, Malformed> {
    match number {
        0 => Ok(Undelivered::NotThere),
        1 => Ok(Undelivered::Rejected),
        2 => Ok(Undelivered::Expired),
        3 => Ok(Undelivered::Unreachable),
        4 => Ok(Undelivered::Unknown),
        _ => Err(Malformed),
    }
}

pub(super) const fn failover_number(failover: ReceiptFailover) -> u8 {
    match failover {
        ReceiptFailover::None => 0,
        ReceiptFailover::Provider => 1,
        ReceiptFailover::Channel => 2,
    }
}

pub(super) const fn failover(number: u8) -> Result<ReceiptFailover, Malformed> {
    match number {
        0 => Ok(ReceiptFailover::None),
        1 => Ok(ReceiptFailover::Provider),
        2 => Ok(ReceiptFailover::Channel),
        _ => Err(Malformed),
    }
}

/// Three values: what it is, who, its name there.
pub(crate) fn write_attempt(out: &mut Writer, attempt: &Attempt) {
    let (number, provider, provider_id) = match attempt {
        Attempt::Sending => (0, None, None),
        Attempt::Accepted { provider, provider_id } => (1, Some(provider), provider_id.as_deref()),
        Attempt::Unclear { provider } => (2, provider.as_ref(), None),
        Attempt::Failed(reason) => (FAILED + reason_number(*reason), None, None),
    };
    out.int(number).bytes_or_none(provider.map(|name| name.as_str().as_bytes())).bytes_or_none(provider_id.map(str::as_bytes));
}

pub(crate) fn read_provider(from: &mut Reader<'_>) -> Result<ProviderName, Malformed> {
    from.text().map(ProviderName::new)
}

pub(crate) fn read_owned(from: &mut Reader<'_>) -> Result<String, Malformed> {
    from.text().map(str::to_owned)
}

pub(super) fn read_attempt(from: &mut Reader<'_>) -> Result<Attempt, Malformed> {
    let number: u8 = from.int()?;
    let provider = from.or_none(read_provider)?;
    let provider_id = from.or_none(read_owned)?;
    match (number, provider) {
        (0, _) => Ok(Attempt::Sending),
        (1, Some(provider)) => Ok(Attempt::Accepted { provider, provider_id }),
        (2, provider) => Ok(Attempt::Unclear { provider }),
        (failed @ FAILED.., _) => reason(failed - FAILED).map(Attempt::Failed),
        (1, None) => Err(Malformed),
    }
}

pub(super) const fn status_number(status: MessageStatus) -> u8 {
    match status {
        MessageStatus::Pending => 0,
        MessageStatus::Sent => 1,
        MessageStatus::Delivered => 2,
        MessageStatus::Failed => 3,
    }
}

pub(super) const fn status(number: u8) -> Result<MessageStatus, Malformed> {
    match number {
        0 => Ok(MessageStatus::Pending),
        1 => Ok(MessageStatus::Sent),
        2 => Ok(MessageStatus::Delivered),
        3 => Ok(MessageStatus::Failed),
        _ => Err(Malformed),
    }
}
