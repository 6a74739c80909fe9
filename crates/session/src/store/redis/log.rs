//! The log: one stream a partition, one entry a step, each one packed value.

use countersign_model::{
    Aggregate, Channel, Event, EventKind, LogEntry, MessageId, Partition, SessionFacts, SessionId, TenantId, Timestamp,
};

use crate::session::packed::{
    LAYOUT, Malformed, Reader, Writer, amount, channel, channel_tags, channels, mode, moment, read_owned, read_provider, reason,
    reason_number, scope, undelivered, undelivered_number,
};

/// Values of an entry.
const ENTRY: usize = 8;
/// Bits of a sequence that number the entries of one millisecond.
const NUMBER_BITS: u32 = 20;

/// Where an entry stands: the milliseconds of its id in the stream, then its number in them. Rises as the ids do, and fits a signed 64-bit
/// number until the year 2248.
pub(super) fn sequence(id: &str) -> Result<u64, Malformed> {
    let (millis, number) = id.split_once('-').ok_or(Malformed)?;
    let (millis, number): (u64, u64) = (millis.parse().map_err(|_| Malformed)?, number.parse().map_err(|_| Malformed)?);
    if number >> NUMBER_BITS != 0 || millis >> (63 - NUMBER_BITS) != 0 {
        return Err(Malformed);
    }
    Ok(millis << NUMBER_BITS | number)
}

/// The id of the entry with that sequence.
pub(super) fn entry_id(sequence: u64) -> String {
    format!("{}-{}", sequence >> NUMBER_BITS, sequence & ((1 << NUMBER_BITS) - 1))
}

/// An event without its number, which is the entry's to give.
pub(super) fn write_event(out: &mut Writer, event: &EventKind) -> Result<(), Malformed> {
    let id = |message: &MessageId| message.bits().to_be_bytes();
    match event {
        EventKind::SessionCreated(facts) => {
            out.array(2).int(1).bytes(&postcard::to_stdvec(facts).map_err(|_| Malformed)?);
        }
        EventKind::SessionResent { messages, expires_at } => {
            let pair = |(message, channel): &(MessageId, Channel)| [&id(message)[..], &[channel.tag()]].concat();
            out.array(3).int(2).bytes(&messages.iter().flat_map(pair).collect::<Vec<u8>>()).int(expires_at.millis());
        }
        EventKind::FallbackStarted { message, channel } => {
            out.array(3).int(3).bytes(&id(message)).int(channel.tag());
        }
        EventKind::SessionVerified { channels } => {
            out.array(2).int(4).bytes(&channel_tags(channels));
        }
        EventKind::SessionExpired => {
            out.array(1).int(5);
        }
        EventKind::SessionLocked => {
            out.array(1).int(6);
        }
        EventKind::SessionCanceled => {
            out.array(1).int(7);
        }
        EventKind::SessionFailed => {
            out.array(1).int(8);
        }
        EventKind::ChannelVerified { channel } => {
            out.array(2).int(9).int(channel.tag());
        }
        EventKind::GuessRefused { attempts_remaining } => {
            out.array(2).int(10).int(*attempts_remaining);
        }
        EventKind::MessageSent { message, channel, provider, provider_id } => {
            out.array(5).int(11).bytes(&id(message)).int(channel.tag()).bytes(provider.as_str().as_bytes());
            out.bytes_or_none(provider_id.as_ref().map(String::as_bytes));
        }
        EventKind::MessageUnclear { message, channel, provider } => {
            out.array(4).int(12).bytes(&id(message)).int(channel.tag());
            out.bytes_or_none(provider.as_ref().map(|provider| provider.as_str().as_bytes()));
        }
        EventKind::MessageFailed { message, channel, reason } => {
            out.array(4).int(13).bytes(&id(message)).int(channel.tag()).int(reason_number(*reason));
        }
        EventKind::RecipientBlocked { channel, until } => {
            out.array(3).int(14).int(channel.tag()).int(until.millis());
        }
        EventKind::ContactDue { channel } => {
            out.array(2).int(15).int(channel.tag());
        }
        EventKind::Captured { message, amount } => {
            out.array(3).int(16).bytes_or_none(message.as_ref().map(id).as_ref().map(|id| &id[..])).int(amount.micros());
        }
        EventKind::BalanceLow { available } => {
            out.array(2).int(17).int(available.micros());
        }
        EventKind::NoticeOpened(facts) => {
            out.array(2).int(19).bytes(&postcard::to_stdvec(facts).map_err(|_| Malformed)?);
        }
        EventKind::MessageDelivered { message, channel, at, carrier } => {
            out.array(5).int(20).bytes(&id(message)).int(channel.tag()).int_or_none(at.map(Timestamp::millis));
            out.bytes_or_none(carrier.as_ref().map(String::as_bytes));
        }
        EventKind::MessageUndelivered { message, channel, reason } => {
            out.array(4).int(21).bytes(&id(message)).int(channel.tag()).int(undelivered_number(*reason));
        }
        EventKind::RetryStarted { message, channel } => {
            out.array(3).int(22).bytes(&id(message)).int(channel.tag());
        }
        EventKind::LocaleNamed { locale } => {
            out.array(2).int(23).bytes(locale.as_bytes());
        }
        EventKind::BalanceCut { balance, held, credits } => {
            out.array(4).int(18).int(balance.micros()).int(held.micros()).int(i64::try_from(*credits).unwrap_or(i64::MAX));
        }
    }
    Ok(())
}

fn read_event(from: &mut Reader<'_>) -> Result<EventKind, Malformed> {
    let values = from.array()?;
    let number: u8 = from.int()?;
    let message = |from: &mut Reader<'_>| from.id().map(MessageId::from_bits);
    Ok(match (number, values) {
        (1, 2) => {
            let facts: SessionFacts = postcard::from_bytes(from.bytes()?).map_err(|_| Malformed)?;
            EventKind::SessionCreated(Box::new(facts))
        }
        (2, 3) => {
            let (pairs, []) = from.bytes()?.as_chunks::<17>() else { return Err(Malformed) };
            let pair = |pair: &[u8; 17]| {
                let id = std::array::from_fn(|at| pair[at]);
                Ok((MessageId::from_bits(u128::from_be_bytes(id)), channel(pair[16])?))
            };
            EventKind::SessionResent { messages: pairs.iter().map(pair).collect::<Result<_, _>>()?, expires_at: moment(from)? }
        }
        (3, 3) => EventKind::FallbackStarted { message: message(from)?, channel: channel(from.int()?)? },
        (4, 2) => EventKind::SessionVerified { channels: channels(from.bytes()?)? },
        (5, 1) => EventKind::SessionExpired,
        (6, 1) => EventKind::SessionLocked,
        (7, 1) => EventKind::SessionCanceled,
        (8, 1) => EventKind::SessionFailed,
        (9, 2) => EventKind::ChannelVerified { channel: channel(from.int()?)? },
        (10, 2) => EventKind::GuessRefused { attempts_remaining: from.int()? },
        (11, 5) => EventKind::MessageSent {
            message: message(from)?,
            channel: channel(from.int()?)?,
            provider: read_provider(from)?,
            provider_id: from.or_none(read_owned)?,
        },
        (12, 4) => EventKind::MessageUnclear {
            message: message(from)?,
            channel: channel(from.int()?)?,
            provider: from.or_none(read_provider)?,
        },
        (13, 4) => {
            EventKind::MessageFailed { message: message(from)?, channel: channel(from.int()?)?, reason: reason(from.int()?)? }
        }
        (14, 3) => EventKind::RecipientBlocked { channel: channel(from.int()?)?, until: moment(from)? },
        (15, 2) => EventKind::ContactDue { channel: channel(from.int()?)? },
        (16, 3) => EventKind::Captured { message: from.or_none(message)?, amount: amount(from)? },
        (17, 2) => EventKind::BalanceLow { available: amount(from)? },
        (19, 2) => {
            let facts: SessionFacts = postcard::from_bytes(from.bytes()?).map_err(|_| Malformed)?;
            EventKind::NoticeOpened(Box::new(facts))
        }
        (20, 5) => EventKind::MessageDelivered {
            message: message(from)?,
            channel: channel(from.int()?)?,
            at: from.or_none(moment)?,
            carrier: from.or_none(read_owned)?,
        },
        (21, 4) => EventKind::MessageUndelivered {
            message: message(from)?,
            channel: channel(from.int()?)?,
            reason: undelivered(from.int()?)?,
        },
        (22, 3) => EventKind::RetryStarted { message: message(from)?, channel: channel(from.int()?)? },
        (23, 2) => EventKind::LocaleNamed { locale: read_owned(from)? },
        (18, 4) => EventKind::BalanceCut { balance: amount(from)?, held: amount(from)?, credits: from.int()? },
        _ => return Err(Malformed),
    })
}

/// Reads an entry: layout, scope, mode, moment, what it is about (0 a session, 1 an account), the number of its first event, its events.
pub(super) fn read_entry(partition: Partition, sequence: u64, packed: &[u8]) -> Result<LogEntry, Malformed> {
    let mut from = Reader::new(packed);
    from.array_of(ENTRY)?;
    if from.int::<u8>()? != LAYOUT {
        return Err(Malformed);
    }
    let (scope, mode, at) = (scope(from.fixed()?)?, mode(from.int()?)?, moment(&mut from)?);
    let (kind, id): (u8, u128) = (from.int()?, from.id()?);
    let of = match kind {
        0 => Aggregate::Session(SessionId::from_bits(id)),
        1 => Aggregate::Account(TenantId::from_bits(id)),
        _ => return Err(Malformed),
    };
    let first: u32 = from.int()?;
    let count = u32::try_from(from.array()?).map_err(|_| Malformed)?;
    let event = |nth| Ok(Event { number: first + nth, kind: read_event(&mut from)? });
    let events = (0..count).map(event).collect::<Result<_, Malformed>>()?;
    from.end()?;
    Ok(LogEntry { sequence, partition, at, scope, mode, of, events })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_rises_as_the_ids_of_a_stream_do() {
        let ids = ["0-1", "1768473900000-0", "1768473900000-1", "1768473900000-1048575", "1768473900001-0"];
        let sequences: Vec<u64> = ids.iter().map(|id| sequence(id).unwrap()).collect();
        assert!(sequences.is_sorted_by(|one, next| one < next), "{sequences:?}");
        assert!(sequences.iter().zip(ids).all(|(sequence, id)| entry_id(*sequence) == id));
        assert_eq!(sequence("1768473900000-1048576"), Err(Malformed), "no more fit into one millisecond");
    }
}
