//! What the scripts answer, turned into verdicts.

use std::time::Duration;

use countersign_model::{Channel, Limit, LimitName, MessageId, Quota, Timestamp};
use redis::Value;

use super::plan::Shape;
use crate::session::packed::{Malformed, Reader, channel, channels};
use crate::session::{Delivery, Judgement, Opened, Session};
use crate::store::StoreError;
use crate::store::verdicts::{
    Answer, CancelVerdict, Heard, LapseVerdict, OpenVerdict, RecordVerdict, SendAgainVerdict, VerifyVerdict,
};

impl From<Malformed> for StoreError {
    fn from(_: Malformed) -> Self {
        Self::Unreadable("value")
    }
}

/// The numbers of limits, here and in the scripts.
pub(super) const fn limit_number(name: LimitName) -> u8 {
    match name {
        LimitName::SendsPerUser => 0,
        LimitName::ActivePerUser => 1,
        LimitName::ResendAfter => 2,
        LimitName::SendsPerIp => 3,
        LimitName::CallsPerKey => 4,
        LimitName::FailedAuthentication => 5,
        LimitName::SendsPerRecipient => 6,
        LimitName::CodeMisses => 7,
    }
}

const fn limit_name(number: u8) -> Result<LimitName, Malformed> {
    match number {
        0 => Ok(LimitName::SendsPerUser),
        1 => Ok(LimitName::ActivePerUser),
        2 => Ok(LimitName::ResendAfter),
        3 => Ok(LimitName::SendsPerIp),
        4 => Ok(LimitName::CallsPerKey),
        5 => Ok(LimitName::FailedAuthentication),
        6 => Ok(LimitName::SendsPerRecipient),
        7 => Ok(LimitName::CodeMisses),
        _ => Err(Malformed),
    }
}

/// The parts of an answer, from its front.
pub(super) struct Parts(std::vec::IntoIter<Value>);

impl Parts {
    pub(super) fn of(value: Value) -> Result<Self, Malformed> {
        match value {
            Value::Array(parts) => Ok(Self(parts.into_iter())),
            _ => Err(Malformed),
        }
    }

    pub(super) fn int<T: TryFrom<i64>>(&mut self) -> Result<T, Malformed> {
        match self.0.next() {
            Some(Value::Int(number)) => T::try_from(number).map_err(|_| Malformed),
            _ => Err(Malformed),
        }
    }

    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, Malformed> {
        self.next_bytes()?.ok_or(Malformed)
    }

    /// None at the end.
    pub(super) fn next_bytes(&mut self) -> Result<Option<Vec<u8>>, Malformed> {
        match self.0.next() {
            Some(Value::BulkString(bytes)) => Ok(Some(bytes)),
            None | Some(Value::Nil) => Ok(None),
            Some(_) => Err(Malformed),
        }
    }

    pub(super) fn text(&mut self) -> Result<String, Malformed> {
        String::from_utf8(self.bytes()?).map_err(|_| Malformed)
    }

    fn ints(&mut self) -> Result<Vec<u32>, Malformed> {
        let Some(Value::Array(numbers)) = self.0.next() else { return Err(Malformed) };
        let mut numbers = Self(numbers.into_iter());
        (0..numbers.0.len()).map(|_| numbers.int()).collect()
    }

    pub(super) fn moment(&mut self) -> Result<Timestamp, Malformed> {
        self.int().map(Timestamp::from_millis)
    }

    pub(super) fn span(&mut self) -> Result<Duration, Malformed> {
        self.int().map(Duration::from_millis)
    }

    fn channel(&mut self) -> Result<Channel, Malformed> {
        channel(self.int()?)
    }

    fn channels(&mut self) -> Result<Vec<Channel>, Malformed> {
        channels(&self.bytes()?)
    }

    fn session(&mut self) -> Result<Box<Session>, StoreError> {
        session(&self.bytes()?).map(Box::new)
    }

    fn judgement(&mut self) -> Result<Judgement, Malformed> {
        Judgement::unpack(&mut Reader::new(&self.bytes()?))
    }
}

pub(super) fn session(packed: &[u8]) -> Result<Session, StoreError> {
    Session::unpack(packed).map_err(|_| StoreError::Unreadable("session"))
}

/// What a script says that a caller's step asked for.
pub(super) enum Said<V> {
    /// This.
    Heard(Heard<V>),
    /// It needs something first, and has changed nothing.
    Needs(Parts),
}

/// Reads an answer to a caller's step; `verdict` reads what is particular to it.
pub(super) fn heard<V>(
    value: Value,
    limit: Option<Limit>,
    verdict: impl FnOnce(&mut Parts) -> Result<V, StoreError>,
) -> Result<Said<V>, StoreError> {
    let mut parts = Parts::of(value)?;
    let (kind, now): (u8, _) = (parts.int()?, parts.moment()?);
    let (remaining, resets_in): (i64, _) = (parts.int()?, parts.span()?);
    let quota = match (limit, u32::try_from(remaining)) {
        (Some(limit), Ok(remaining)) => Some(Quota { limit, remaining, resets_in, resets_at: now.plus(resets_in) }),
        _ => None,
    };
    let answer = match kind {
        0 => Answer::Fresh(verdict(&mut parts)?),
        1 => Answer::Replayed(verdict(&mut parts)?),
        2 => Answer::Running,
        3 => Answer::Mismatch,
        4 => Answer::Stale { revision: parts.int()? },
        5 => Answer::Revoked,
        6 => Answer::TooManyCalls,
        7 => return Ok(Said::Needs(parts)),
        _ => return Err(Malformed.into()),
    };
    Ok(Said::Heard(Heard { quota, answer }))
}

/// The generations of codes that a verification asks for.
pub(super) fn needed_generations(mut parts: Parts) -> Result<Vec<u32>, StoreError> {
    Ok(parts.ints()?)
}

/// The generation and shape of the codes that a further send asks for.
pub(super) fn needed_codes(mut parts: Parts) -> Result<(u32, Shape), StoreError> {
    Ok((parts.int()?, Shape { length: parts.int()?, shared: parts.int::<u8>()? == 1 }))
}

pub(super) fn open(parts: &mut Parts) -> Result<OpenVerdict, StoreError> {
    Ok(match parts.int::<u8>()? {
        0 => OpenVerdict::Opened(parts.session()?),
        1 => OpenVerdict::Limited { limit: limit_name(parts.int()?)?, wait: parts.span()? },
        2 => OpenVerdict::RecipientBlocked { channel: parts.channel()?, wait: parts.span()? },
        3 => OpenVerdict::InsufficientBalance,
        4 => OpenVerdict::SlotTaken { wait: parts.span()? },
        _ => return Err(Malformed.into()),
    })
}

/// Two bytes to a code: its channel, and how many messages ago its message was sent.
fn read_opened(pairs: &[u8]) -> Result<Vec<Opened>, Malformed> {
    let (pairs, []) = pairs.as_chunks::<2>() else { return Err(Malformed) };
    pairs.iter().map(|[tag, age]| Ok((channel(*tag)?, *age))).collect()
}

pub(super) fn verify(parts: &mut Parts) -> Result<VerifyVerdict, StoreError> {
    Ok(match parts.int::<u8>()? {
        0 => {
            let (session, judgement) = (parts.session()?, parts.judgement()?);
            let carried = match parts.next_bytes()? {
                Some(opened) => session.carried(&read_opened(&opened)?),
                None => session.carried_before(&judgement),
            };
            VerifyVerdict::Judged(session, judgement, carried)
        }
        1 => VerifyVerdict::AlreadyVerified(parts.session()?),
        2 => VerifyVerdict::Canceled(parts.session()?),
        3 => VerifyVerdict::Expired(parts.session()?),
        4 => VerifyVerdict::Locked(parts.session()?),
        5 => VerifyVerdict::ChannelNotFound(parts.session()?),
        6 => VerifyVerdict::ChannelVerified(parts.session()?),
        7 => VerifyVerdict::ChannelNeeded(parts.session()?),
        8 => {
            let session = parts.session()?;
            VerifyVerdict::RecipientBlocked { session, channel: parts.channel()?, wait: parts.span()? }
        }
        9 => VerifyVerdict::Unknown,
        _ => return Err(Malformed.into()),
    })
}

pub(super) fn send_again(parts: &mut Parts) -> Result<SendAgainVerdict, StoreError> {
    let kind: u8 = parts.int()?;
    if kind == 11 {
        return Ok(SendAgainVerdict::Unknown);
    }
    let session = parts.session()?;
    Ok(match kind {
        0 => SendAgainVerdict::Sent(session, parts.channels()?),
        1 => SendAgainVerdict::AlreadyVerified(session),
        2 => SendAgainVerdict::Canceled(session),
        3 => SendAgainVerdict::Locked(session),
        4 => SendAgainVerdict::Expired(session),
        5 => SendAgainVerdict::ChannelNotFound(session),
        6 => SendAgainVerdict::ChannelVerified(session),
        7 => SendAgainVerdict::NoFallback(session),
        8 => SendAgainVerdict::Limited { session, limit: limit_name(parts.int()?)?, wait: parts.span()? },
        9 => SendAgainVerdict::RecipientBlocked { session, channel: parts.channel()?, wait: parts.span()? },
        10 => SendAgainVerdict::InsufficientBalance(session),
        _ => return Err(Malformed.into()),
    })
}

pub(super) fn cancel(parts: &mut Parts) -> Result<CancelVerdict, StoreError> {
    Ok(match parts.int::<u8>()? {
        0 => CancelVerdict::Canceled(parts.session()?),
        1 => CancelVerdict::AlreadyVerified(parts.session()?),
        2 => CancelVerdict::Unknown,
        _ => return Err(Malformed.into()),
    })
}

pub(super) fn record(value: Value) -> Result<RecordVerdict, StoreError> {
    let mut parts = Parts::of(value)?;
    parts.moment()?;
    if parts.int::<u8>()? == 1 {
        return Ok(RecordVerdict::Unknown);
    }
    let session = parts.session()?;
    let delivery = match parts.int::<u8>()? {
        0 => Delivery::Sent,
        1 => Delivery::NextFallback,
        2 => Delivery::NothingSent,
        _ => return Err(Malformed.into()),
    };
    Ok(RecordVerdict::Recorded(session, delivery))
}

pub(super) fn lapse(value: Value) -> Result<LapseVerdict, StoreError> {
    let mut parts = Parts::of(value)?;
    parts.moment()?;
    Ok(match parts.int::<u8>()? {
        0 => LapseVerdict::Settled,
        1 => LapseVerdict::FallbackDue,
        2 => {
            let id = parts.bytes()?.try_into().map_err(|_| Malformed)?;
            let message = MessageId::from_bits(u128::from_be_bytes(id));
            LapseVerdict::Undelivered { message, channel: parts.channel()? }
        }
        _ => return Err(Malformed.into()),
    })
}
