//! What receipts leave behind in a packed session: a value more, for the session and for each challenge, where there is anything to keep. Without
//! it a session is packed as the releases before knew it.

use countersign_model::{Channel, MessageId, ReceiptPolicy, ReceiptWaits, Timestamp};

use super::super::{Message, Replaced, Session};
use super::{Malformed, Reader, Writer, channel, moment, read_owned, read_provider, words};

/// Values of what a session keeps, of a replaced message, of what a challenge keeps.
const RECEIPTS: usize = 3;
const REPLACED: usize = 5;
const RECEIPT: usize = 3;

impl Session {
    /// Whether it keeps anything.
    pub(super) fn has_receipts(&self) -> bool {
        !self.replaced.is_empty() || self.policy.receipts != ReceiptPolicy::default()
    }

    pub(super) fn pack_receipts(&self, out: &mut Writer) {
        let ReceiptPolicy { failover, waits } = self.policy.receipts;
        let seconds = Channel::ALL.map(|channel| waits.seconds(channel).to_be_bytes()).concat();
        out.array(RECEIPTS).int(words::failover_number(failover));
        out.bytes_or_none((waits != ReceiptWaits::DEFAULT).then_some(&seconds[..]));
        out.array(self.replaced.len() * REPLACED);
        for replaced in &self.replaced {
            out.bytes(&replaced.id.bits().to_be_bytes()).int(replaced.channel.tag());
            out.int(words::status_number(replaced.status));
            out.bytes_or_none(replaced.provider.as_ref().map(|provider| provider.as_str().as_bytes())).flag(replaced.in_vain);
        }
    }

    pub(super) fn unpack_receipts(&mut self, from: &mut Reader<'_>) -> Result<(), Malformed> {
        from.array_of(RECEIPTS)?;
        let failover = words::failover(from.int()?)?;
        let waits = from.or_none(read_waits)?.unwrap_or_default();
        self.policy.receipts = ReceiptPolicy { failover, waits };
        for _ in 0..from.array()? / REPLACED {
            self.replaced.push(Replaced {
                id: MessageId::from_bits(from.id()?),
                channel: channel(from.int()?)?,
                status: words::status(from.int()?)?,
                provider: from.or_none(read_provider)?,
                in_vain: from.flag()?,
            });
        }
        Ok(())
    }
}

impl Message {
    /// Whether it keeps anything.
    pub(super) const fn has_receipt(&self) -> bool {
        self.undelivered.is_some() || self.follow_at.is_some() || self.carrier.is_some()
    }

    pub(super) fn pack_receipt(&self, out: &mut Writer) {
        out.array(RECEIPT).int_or_none(self.undelivered.map(|reason| words::undelivered_number(reason).into()));
        out.int_or_none(self.follow_at.map(Timestamp::millis));
        out.bytes_or_none(self.carrier.as_ref().map(String::as_bytes));
    }

    pub(super) fn unpack_receipt(&mut self, from: &mut Reader<'_>) -> Result<(), Malformed> {
        from.array_of(RECEIPT)?;
        self.undelivered = from.or_none(|from| from.int().and_then(words::undelivered))?;
        self.follow_at = from.or_none(moment)?;
        self.carrier = from.or_none(read_owned)?;
        Ok(())
    }
}

fn read_waits(from: &mut Reader<'_>) -> Result<ReceiptWaits, Malformed> {
    let seconds: [u8; 8] = from.fixed()?;
    Ok(ReceiptWaits::from_fn(|channel| {
        let at = usize::from(channel.tag() - 1) * 2;
        u16::from_be_bytes([seconds[at], seconds[at + 1]])
    }))
}
