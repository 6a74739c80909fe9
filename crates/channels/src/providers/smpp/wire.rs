//! PDUs in bytes. What goes out is written by `rusmpp`.
//!
//! What comes in is read here, field by field and forgivingly: its decoder refuses a whole PDU for an id without its last zero byte, a time that is
//! not 16 characters long or an address beyond ASCII, all of which centres send, and what cannot be read is offered again for ever.

use std::ops::RangeInclusive;

use rusmpp::encode::{Encode, Length};
use rusmpp::pdus::{BindReceiver, BindTransceiver, BindTransmitter, DataSmResp, DeliverSmResp, SubmitSm};
use rusmpp::tlvs::MessageSubmissionRequestTlvValue as Tag;
use rusmpp::types::{AnyOctetString, COctetString, EmptyOrFullCOctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, MessagePayload, RegisteredDelivery};
use rusmpp::{Command, CommandStatus, Pdu};

use super::address::Address;
use super::config::Settings;
use super::lane::Role;
use super::text::{Part, Place};

pub(super) const GENERIC_NACK: u32 = 0x8000_0000;
pub(super) const SUBMIT_SM_RESP: u32 = 0x8000_0004;
pub(super) const DELIVER_SM: u32 = 0x0000_0005;
pub(super) const UNBIND: u32 = 0x0000_0006;
pub(super) const UNBIND_RESP: u32 = 0x8000_0006;
pub(super) const OUTBIND: u32 = 0x0000_000B;
pub(super) const ENQUIRE_LINK: u32 = 0x0000_0015;
pub(super) const ALERT_NOTIFICATION: u32 = 0x0000_0102;
pub(super) const DATA_SM: u32 = 0x0000_0103;

/// What tells an answer from a request.
pub(super) const RESPONSE: u32 = 0x8000_0000;

/// The command is not known here.
const INVALID_COMMAND: u32 = 0x03;

const HEADER: usize = 16;
/// Longer than anything a centre has to say to us.
const MOST: usize = 64 * 1024;

/// A whole PDU, its body not yet looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Incoming {
    pub(super) id: u32,
    pub(super) status: u32,
    pub(super) sequence: u32,
    pub(super) body: Vec<u8>,
}

/// What came is no SMPP; where the next PDU begins cannot be known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotSmpp;

/// Takes the first PDU off the buffer; none: it is not whole yet.
pub(super) fn take(buffer: &mut Vec<u8>) -> Result<Option<Incoming>, NotSmpp> {
    let mut head = Reader(buffer);
    let Some(length) = head.u32() else { return Ok(None) };
    let length = usize::try_from(length).ok().filter(|length| (HEADER..=MOST).contains(length)).ok_or(NotSmpp)?;
    if buffer.len() < length {
        return Ok(None);
    }
    let rest = buffer.split_off(length);
    let whole = std::mem::replace(buffer, rest);
    let mut reader = Reader(&whole[4..]);
    let (Some(id), Some(status), Some(sequence)) = (reader.u32(), reader.u32(), reader.u32()) else { return Err(NotSmpp) };
    Ok(Some(Incoming { id, status, sequence, body: reader.0.to_vec() }))
}

/// What is sent of one part of a message.
pub(super) struct Submit {
    pub(super) source: Address,
    pub(super) target: Address,
    pub(super) validity: Option<EmptyOrFullCOctetString<17>>,
    pub(super) part: Part,
}

pub(super) fn submit(submit: Submit, sequence: u32) -> Vec<u8> {
    const HEADER_FOLLOWS: u8 = 0x40;
    /// Whatever becomes of it in the end.
    const RECEIPT: u8 = 1;
    let Submit { source, target, validity, part } = submit;
    let mut pdu = SubmitSm::builder()
        .source_addr_ton(source.ton)
        .source_addr_npi(source.npi)
        .source_addr(source.text)
        .dest_addr_ton(target.ton)
        .dest_addr_npi(target.npi)
        .destination_addr(target.text)
        .esm_class(EsmClass::from(if part.place == Place::Header { HEADER_FOLLOWS } else { 0 }))
        .validity_period(validity.unwrap_or_default())
        .registered_delivery(RegisteredDelivery::from(RECEIPT))
        .data_coding(DataCoding::from(part.data_coding))
        .build();
    match part.place {
        Place::Payload => pdu.push_tlv(Tag::MessagePayload(MessagePayload::new(AnyOctetString::from_vec(part.bytes)))),
        Place::Whole | Place::Header | Place::Tags { .. } => {
            // A part has 160 bytes at most.
            pdu.set_short_message(OctetString::from_vec(part.bytes).unwrap_or_default());
        }
    }
    if let Place::Tags { reference, total, number } = part.place {
        pdu.push_tlv(Tag::SarMsgRefNum(u16::from(reference)));
        pdu.push_tlv(Tag::SarTotalSegments(total));
        pdu.push_tlv(Tag::SarSegmentSeqnum(number));
    }
    frame(0, sequence, pdu)
}

/// For how long a centre can be told to try, in seconds: up to a month, since months differ, and no less than a minute, since all zeros mean that
/// it may choose.
pub(super) const VALIDITY: RangeInclusive<u64> = 60..=30 * 24 * 3600;

/// How long the centre shall try: a relative time, `YYMMDDhhmmss000R`. `seconds` are of [`VALIDITY`].
pub(super) fn validity(seconds: u64) -> Option<EmptyOrFullCOctetString<17>> {
    let (days, hours, minutes, seconds) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("0000{days:02}{hours:02}{minutes:02}{seconds:02}000R").parse().ok()
}

pub(super) fn bind(settings: &Settings, role: Role, sequence: u32) -> Vec<u8> {
    macro_rules! bind {
        ($kind:ident) => {
            $kind::builder()
                .system_id(settings.system_id.clone())
                .password(settings.password.clone())
                .system_type(settings.system_type.clone())
                .interface_version(settings.version)
                .build()
        };
    }
    match role {
        Role::Transceiver => frame(0, sequence, bind!(BindTransceiver)),
        Role::Transmitter => frame(0, sequence, bind!(BindTransmitter)),
        Role::Receiver => frame(0, sequence, bind!(BindReceiver)),
    }
}

pub(super) fn enquire_link(sequence: u32) -> Vec<u8> {
    frame(0, sequence, Pdu::EnquireLink)
}

pub(super) fn enquire_link_resp(sequence: u32) -> Vec<u8> {
    frame(0, sequence, Pdu::EnquireLinkResp)
}

pub(super) fn unbind(sequence: u32) -> Vec<u8> {
    frame(0, sequence, Pdu::Unbind)
}

pub(super) fn unbind_resp(sequence: u32) -> Vec<u8> {
    frame(0, sequence, Pdu::UnbindResp)
}

pub(super) fn not_known(sequence: u32) -> Vec<u8> {
    frame(INVALID_COMMAND, sequence, Pdu::GenericNack)
}

/// The answer to a `deliver_sm` or `data_sm`.
pub(super) fn taken(id: u32, status: u32, sequence: u32) -> Vec<u8> {
    if id == DATA_SM {
        frame(status, sequence, DataSmResp::new(COctetString::empty(), Vec::new()))
    } else {
        frame(status, sequence, DeliverSmResp::new(COctetString::empty(), Vec::new()))
    }
}

fn frame(status: u32, sequence: u32, pdu: impl Into<Pdu>) -> Vec<u8> {
    let command = Command::new(CommandStatus::from(status), sequence, pdu);
    let length = 4 + command.length();
    let mut bytes = vec![0; length];
    bytes[..4].copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    command.encode(&mut bytes[4..]);
    bytes
}

/// The id in an answer to a `submit_sm`.
pub(super) fn message_id(body: &[u8]) -> Option<String> {
    Reader(body).text()
}

/// What a `deliver_sm` or a `data_sm` holds of interest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Delivery {
    pub(super) esm_class: u8,
    pub(super) data_coding: u8,
    pub(super) text: Vec<u8>,
    pub(super) receipted_message_id: Option<String>,
    pub(super) message_state: Option<u8>,
}

pub(super) fn delivery(incoming: &Incoming) -> Option<Delivery> {
    let mut reader = Reader(&incoming.body);
    let mut found = if incoming.id == DATA_SM { data_sm(&mut reader) } else { deliver_sm(&mut reader) }?;
    while let Some((tag, value)) = reader.tag() {
        match tag {
            0x001E => found.receipted_message_id = Reader(value).text(),
            0x0427 => found.message_state = value.last().copied(),
            0x0424 => found.text = value.to_vec(),
            _ => {}
        }
    }
    Some(found)
}

fn deliver_sm(reader: &mut Reader<'_>) -> Option<Delivery> {
    reader.addresses()?;
    let esm_class = reader.u8()?;
    let _protocol_and_priority = reader.bytes(2)?;
    let _schedule = reader.string()?;
    let _validity = reader.string()?;
    let _registered_and_replace = reader.bytes(2)?;
    let data_coding = reader.u8()?;
    let _canned = reader.u8()?;
    let length = usize::from(reader.u8()?);
    let text = reader.bytes(length)?.to_vec();
    Some(Delivery { esm_class, data_coding, text, receipted_message_id: None, message_state: None })
}

fn data_sm(reader: &mut Reader<'_>) -> Option<Delivery> {
    reader.addresses()?;
    let esm_class = reader.u8()?;
    let _registered = reader.u8()?;
    let data_coding = reader.u8()?;
    Some(Delivery { esm_class, data_coding, text: Vec::new(), receipted_message_id: None, message_state: None })
}

/// What is left to be read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    fn u16(&mut self) -> Option<u16> {
        self.bytes(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn u32(&mut self) -> Option<u32> {
        self.bytes(4).map(|bytes| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// Up to a zero byte, which is taken too.
    fn string(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let text = self.bytes(end)?;
        self.bytes(1)?;
        Some(text)
    }

    /// Up to a zero byte or the end, as text without spaces around it; none: nothing is left then, or it is not ASCII.
    fn text(&mut self) -> Option<String> {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        let text = std::str::from_utf8(self.bytes(end)?).ok()?.trim();
        (!text.is_empty() && text.is_ascii()).then(|| text.to_owned())
    }

    /// Service type, source and destination.
    fn addresses(&mut self) -> Option<()> {
        self.string()?;
        for _ in 0..2 {
            self.bytes(2)?;
            self.string()?;
        }
        Some(())
    }

    /// An optional parameter; none: there is no more that could be read.
    fn tag(&mut self) -> Option<(u16, &'a [u8])> {
        let tag = self.u16()?;
        let length = usize::from(self.u16()?);
        Some((tag, self.bytes(length)?))
    }
}
