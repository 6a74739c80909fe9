//! Delivery receipts: what a centre says became of a message, in the form of a message.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_model::{ProviderName, Receipt, ReceiptOf, Report, Undelivered};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;
use tracing::debug;

use super::config::ReceiptId;
use super::line::Out;
use super::wire::{self, Delivery, Incoming};
use crate::ids::sound_id;
use crate::receipts::Pushed;

const OK: u32 = 0;
/// Offer it again later.
const LATER: u32 = 0x64;
/// Do not.
const NEVER: u32 = 0x65;

/// Receipts that are being kept at a time; a centre that pushes more is asked to come again.
const AT_A_TIME: usize = 100;

/// Longer than that keeping one may not last: centres wait about as long for an answer.
const KEEPING: Duration = Duration::from_secs(10);

/// Takes receipts in and has them kept before the centre is told so.
#[derive(Clone)]
pub(super) struct Desk {
    name: ProviderName,
    pushed: mpsc::Sender<Pushed>,
    form: ReceiptId,
    /// Whether somebody keeps what is pushed.
    is_open: Arc<AtomicBool>,
    hands: Arc<Semaphore>,
}

/// The desk is open until this goes.
pub(super) struct Open(Arc<AtomicBool>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl Desk {
    pub(super) fn new(name: ProviderName, pushed: mpsc::Sender<Pushed>, form: ReceiptId) -> Self {
        Self { name, pushed, form, is_open: Arc::default(), hands: Arc::new(Semaphore::new(AT_A_TIME)) }
    }

    pub(super) fn open(&self) -> Open {
        self.is_open.store(true, Ordering::Relaxed);
        Open(Arc::clone(&self.is_open))
    }

    /// The answer, where it is known at once; else it goes to `replies` when the receipt is kept or could not be.
    pub(super) fn take(&self, pdu: &Incoming, replies: &mpsc::WeakSender<Out>) -> Option<u32> {
        let Some(delivery) = wire::delivery(pdu) else {
            debug!(provider = %self.name, bytes = pdu.body.len(), "a delivery that cannot be read was turned away");
            return Some(NEVER);
        };
        let Some((id, report)) = read(&delivery, self.form) else {
            debug!(provider = %self.name, bytes = delivery.text.len(), "a message to us, not a receipt, was dropped");
            return Some(OK);
        };
        if !self.is_open.load(Ordering::Relaxed) {
            return Some(LATER);
        }
        let Ok(hand) = Arc::clone(&self.hands).try_acquire_owned() else { return Some(LATER) };
        let (kept, is_kept) = oneshot::channel();
        let receipt = Receipt { of: ReceiptOf::ProviderId(id), report, at: None, carrier: None };
        let pushed = Pushed { through: self.name.clone(), receipt, kept };
        let (queue, replies) = (self.pushed.clone(), replies.clone());
        let (command, sequence) = (pdu.id, pdu.sequence);
        tokio::spawn(async move {
            let keeping = timeout(KEEPING, async {
                queue.send(pushed).await.ok()?;
                is_kept.await.ok()
            });
            let status = if keeping.await == Ok(Some(true)) { OK } else { LATER };
            drop(hand);
            if let Some(replies) = replies.upgrade() {
                let _ = replies.send(Out::answer(wire::taken(command, status, sequence))).await;
            }
        });
        None
    }
}

impl ReceiptId {
    /// The id in an answer to a message, as it is kept.
    pub(super) fn of_response(self, id: &str) -> String {
        match self {
            Self::Same => id.to_owned(),
            Self::HexToDecimal => number(id, 16),
            Self::DecimalToHex => number(id, 10),
        }
    }

    /// The id in a receipt, in the form in which that of the answer was kept.
    fn of_receipt(self, id: &str) -> String {
        match self {
            Self::Same => id.to_owned(),
            Self::HexToDecimal => number(id, 10),
            Self::DecimalToHex => number(id, 16),
        }
    }
}

/// In decimal, without zeros before it; what is no number stays as it is.
fn number(id: &str, radix: u32) -> String {
    u128::from_str_radix(id, radix).map_or_else(|_| id.to_owned(), |number| number.to_string())
}

/// None: a message from a person, or one that names none of ours.
fn read(delivery: &Delivery, form: ReceiptId) -> Option<(String, Report)> {
    const KIND: u8 = 0x3C;
    const RECEIPT: u8 = 0x04;
    const INTERMEDIATE: u8 = 0x20;
    // Only a centre can set the parameter, so some may leave the class out.
    let is_receipt = matches!(delivery.esm_class & KIND, RECEIPT | INTERMEDIATE) || delivery.receipted_message_id.is_some();
    if !is_receipt {
        return None;
    }
    let text = words(delivery);
    let fields = Fields::of(&text);
    let id = delivery.receipted_message_id.as_deref().or_else(|| fields.value("id:"))?;
    let report = match delivery.message_state {
        Some(state) => by_state(state),
        None => fields.value("stat:").map_or(Report::Underway, by_word),
    };
    sound_id(&form.of_receipt(id)).map(|id| (id, report))
}

/// The text without its header. What is not ASCII in it is of no interest.
fn words(delivery: &Delivery) -> String {
    const HEADER_FOLLOWS: u8 = 0x40;
    const UCS2: u8 = 8;
    let mut bytes = delivery.text.as_slice();
    if delivery.esm_class & HEADER_FOLLOWS != 0 {
        let length = bytes.first().map_or(0, |length| usize::from(*length) + 1);
        bytes = bytes.get(length..).unwrap_or_default();
    }
    if delivery.data_coding == UCS2 {
        let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        return char::decode_utf16(units).map(|unit| unit.unwrap_or(' ')).collect();
    }
    String::from_utf8_lossy(bytes).into_owned()
}

/// `id:… sub:… dlvrd:… submit date:… done date:… stat:… err:… text:…`, in any order: centres deviate.
struct Fields<'a> {
    /// Before the message's own words.
    own: &'a str,
    /// Those, and what some centres put behind.
    rest: &'a str,
    lower: String,
}

impl<'a> Fields<'a> {
    fn of(text: &'a str) -> Self {
        // Small ASCII letters take as many bytes as large ones, so places in it are places in the text.
        let lower = text.to_ascii_lowercase();
        let cut = find(&lower, "text:").unwrap_or(text.len());
        Self { own: &text[..cut], rest: &text[cut..], lower }
    }

    /// Up to the next space. The message's own words are looked at last: they may say anything.
    fn value(&self, name: &str) -> Option<&'a str> {
        let (own, rest) = self.lower.split_at(self.own.len());
        let after = |lower: &str, text: &'a str| find(lower, name).map(|at| &text[at + name.len()..]);
        let value = after(own, self.own).or_else(|| after(rest, self.rest))?;
        value.split_ascii_whitespace().next()
    }
}

/// Where a field's name begins a word.
fn find(text: &str, name: &str) -> Option<usize> {
    text.match_indices(name).map(|(at, _)| at).find(|at| !text[..*at].ends_with(|before: char| before.is_alphanumeric()))
}

fn by_state(state: u8) -> Report {
    match state {
        2 => Report::Delivered,
        3 => Report::Undelivered(Undelivered::Expired),
        // Deleted, undeliverable, skipped.
        4 | 5 | 9 => Report::Undelivered(Undelivered::Unknown),
        8 => Report::Undelivered(Undelivered::Rejected),
        // Scheduled, enroute, accepted, unknown, and what nobody has heard of.
        _ => Report::Underway,
    }
}

fn by_word(word: &str) -> Report {
    match word.to_ascii_uppercase().as_str() {
        "DELIVRD" | "DELIVERED" => Report::Delivered,
        "EXPIRED" => Report::Undelivered(Undelivered::Expired),
        "DELETED" | "UNDELIV" | "UNDELIVERABLE" | "SKIPPED" | "FAILED" => Report::Undelivered(Undelivered::Unknown),
        "REJECTD" | "REJECTED" => Report::Undelivered(Undelivered::Rejected),
        // SCHEDULED, ENROUTE, ACCEPTD, UNKNOWN, and what nobody has heard of.
        _ => Report::Underway,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(esm_class: u8, text: &str) -> Delivery {
        Delivery { esm_class, data_coding: 0, text: text.into(), receipted_message_id: None, message_state: None }
    }

    fn of(text: &str) -> Option<(String, Report)> {
        read(&delivery(0x04, text), ReceiptId::Same)
    }

    const DELIVERED: Report = Report::Delivered;

    #[test]
    fn fields_are_found_by_name_in_any_order_and_any_case() {
        let texts = [
            "id:17A sub:001 dlvrd:001 submit date:2601151045 done date:2601151046 stat:DELIVRD err:000 text:482913 is your",
            "stat:DELIVRD err:000 id:17A",
            "ID:17A Stat:delivrd",
            "id:17A stat:DELIVERED text:",
            "msgid:9 id:17A stat:DELIVRD",
            "text:Hello id:17A stat:DELIVRD",
            "id:17A stat:DELIVRD text:stat:UNDELIV id:18",
            "id: 17A stat: DELIVRD",
            "id:17A\nstat:DELIVRD\n",
            "id:17A stat:DELIVRD text:Ä€ж\u{fffd}",
        ];
        for text in texts {
            assert_eq!(of(text), Some(("17A".to_owned(), DELIVERED)), "{text}");
        }
        for text in ["", "stat:DELIVRD", "id:", "id:ä stat:DELIVRD", "hello"] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn every_word_and_every_state_has_its_report() {
        use Undelivered::{Expired, Rejected, Unknown};
        let words = [
            ("SCHEDULED", 0, Report::Underway),
            ("ENROUTE", 1, Report::Underway),
            ("DELIVRD", 2, DELIVERED),
            ("EXPIRED", 3, Report::Undelivered(Expired)),
            ("DELETED", 4, Report::Undelivered(Unknown)),
            ("UNDELIV", 5, Report::Undelivered(Unknown)),
            ("ACCEPTD", 6, Report::Underway),
            ("UNKNOWN", 7, Report::Underway),
            ("REJECTD", 8, Report::Undelivered(Rejected)),
            ("SKIPPED", 9, Report::Undelivered(Unknown)),
            ("BEAMEDUP", 42, Report::Underway),
        ];
        for (word, state, report) in words {
            assert_eq!(of(&format!("id:1 stat:{word}")), Some(("1".to_owned(), report)), "{word}");
            let told = Delivery { message_state: Some(state), ..delivery(0x04, "id:1 stat:NONSENSE") };
            assert_eq!(read(&told, ReceiptId::Same), Some(("1".to_owned(), report)), "{state}");
        }
    }

    #[test]
    fn parameters_go_before_the_text() {
        let told = Delivery {
            receipted_message_id: Some("abc".to_owned()),
            message_state: Some(2),
            ..delivery(0x04, "id:1 stat:UNDELIV")
        };
        assert_eq!(read(&told, ReceiptId::Same), Some(("abc".to_owned(), DELIVERED)));
    }

    #[test]
    fn a_message_from_a_person_is_no_receipt_whatever_it_says() {
        for esm_class in [0x00, 0x40, 0x08, 0x10, 0x03] {
            assert_eq!(read(&delivery(esm_class, "id:1 stat:DELIVRD"), ReceiptId::Same), None, "{esm_class:#x}");
        }
        let by_parameter = Delivery { receipted_message_id: Some("1".to_owned()), ..delivery(0, "stat:DELIVRD") };
        assert_eq!(read(&by_parameter, ReceiptId::Same), Some(("1".to_owned(), DELIVERED)));
        assert_eq!(read(&delivery(0x20, "id:1 stat:ENROUTE"), ReceiptId::Same), Some(("1".to_owned(), Report::Underway)));
    }

    #[test]
    fn headers_and_wide_characters_are_seen_through() {
        let with_header = delivery(0x44, "\u{5}\0\u{3}\u{1}\u{1}\u{1}id:1 stat:DELIVRD");
        assert_eq!(read(&with_header, ReceiptId::Same), Some(("1".to_owned(), DELIVERED)));
        let only_a_header = delivery(0x44, "\u{7f}");
        assert_eq!(read(&only_a_header, ReceiptId::Same), None);
        let wide: Vec<u8> = "id:1 stat:DELIVRD".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let wide = Delivery { data_coding: 8, text: wide, ..delivery(0x04, "") };
        assert_eq!(read(&wide, ReceiptId::Same), Some(("1".to_owned(), DELIVERED)));
    }

    #[test]
    fn ids_meet_whichever_side_writes_them_in_hexadecimal() {
        let cases = [
            (ReceiptId::Same, "00fF", "00fF", true),
            (ReceiptId::Same, "00fF", "255", false),
            (ReceiptId::HexToDecimal, "00fF", "0000000255", true),
            (ReceiptId::HexToDecimal, "FF", "255", true),
            (ReceiptId::HexToDecimal, "10", "10", false),
            (ReceiptId::DecimalToHex, "0255", "00FF", true),
            (ReceiptId::DecimalToHex, "255", "ff", true),
            (ReceiptId::HexToDecimal, "msg-1", "msg-1", true),
            (ReceiptId::DecimalToHex, "340282366920938463463374607431768211456", "340282366920938463463374607431768211456", true),
        ];
        for (form, response, receipt, meet) in cases {
            assert_eq!(form.of_response(response) == form.of_receipt(receipt), meet, "{form:?} {response} {receipt}");
        }
    }
}
