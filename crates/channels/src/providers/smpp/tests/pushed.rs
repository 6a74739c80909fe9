//! Receipts that a centre pushes.

use countersign_model::{ReceiptOf, Report, Undelivered};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::centre::RESPONSE;
use super::*;
use crate::receipts::Pushed;

const DELIVER: u32 = 5;
const DATA: u32 = 0x0103;

/// A `deliver_sm` body: class, text and optional parameters.
fn deliver(class: u8, text: &[u8], tags: &[u8]) -> Vec<u8> {
    let head = b"\0\x01\x0112025550143\0\x05\0Acme\0";
    let rest = [class, 0, 0, 0, 0, 0, 0, 0, 0, u8::try_from(text.len()).unwrap()];
    [&head[..], &rest, text, tags].concat()
}

struct Kept {
    centre: Centre,
    pushed: mpsc::Receiver<Pushed>,
    task: JoinHandle<()>,
}

/// A bound provider that is kept up.
async fn kept(change: impl FnOnce(Config) -> Config) -> Kept {
    let centre = Centre::start(polite).await;
    let (push, pushed) = mpsc::channel(16);
    let mut context = testing::context("carrier", PATIENCE);
    context.pushed = push;
    let provider = build(&change(config(centre.port)), context).unwrap();
    let task = tokio::spawn(async move { provider.keep_up().await });
    centre.until(BIND_TRANSCEIVER, 1).await;
    Kept { centre, pushed, task }
}

#[tokio::test]
async fn a_receipt_is_answered_once_it_is_kept_and_offered_again_when_it_was_not() {
    let Kept { centre, mut pushed, task } = kept(|config| config).await;
    let text = b"id:id-1 sub:001 dlvrd:001 submit date:2601151045 done date:2601151046 stat:DELIVRD err:000 text:482913";
    for (number, (is_kept, status)) in [(true, 0), (false, 0x64)].into_iter().enumerate() {
        centre.push(pdu(DELIVER, 0, 500, &deliver(0x04, text, b"")));
        let told = pushed.recv().await.unwrap();
        assert_eq!(told.through, ProviderName::new("carrier"));
        assert_eq!((&told.receipt.of, told.receipt.report), (&ReceiptOf::ProviderId("id-1".to_owned()), Report::Delivered));
        assert_eq!(centre.of(RESPONSE | DELIVER).len(), number, "nothing is answered before it is kept");
        told.kept.send(is_kept).unwrap();
        let answer = centre.until(RESPONSE | DELIVER, number + 1).await;
        assert_eq!((answer.status, answer.sequence, answer.body), (status, 500, vec![0]));
    }
    centre.push(pdu(DELIVER, 0, 501, &deliver(0x04, text, b"")));
    drop(pushed.recv().await.unwrap());
    assert_eq!(centre.until(RESPONSE | DELIVER, 3).await.status, 0x64);
    drop(pushed);
    centre.push(pdu(DELIVER, 0, 502, &deliver(0x04, text, b"")));
    assert_eq!(centre.until(RESPONSE | DELIVER, 4).await.status, 0x64);
    task.abort();
}

#[tokio::test]
async fn receipts_come_by_parameters_too_and_as_data_sm() {
    let Kept { centre, mut pushed, task } = kept(|config| Config { receipt_id: ReceiptId::HexToDecimal, ..config }).await;
    // The id without its zero byte, as some centres send it, and beside it an unknown parameter.
    let tags = b"\x14\x00\0\x01x\0\x1E\0\x03255\x04\x27\0\x01\x08";
    centre.push(pdu(DELIVER, 0, 7, &deliver(0x04, b"id:999 stat:DELIVRD", tags)));
    let data = [&b"\0\x01\x0112025550143\0\x05\0Acme\0\x04\0\0"[..], tags].concat();
    centre.push(pdu(DATA, 0, 8, &data));
    for (id, sequence) in [(DELIVER, 7), (DATA, 8)] {
        let told = pushed.recv().await.unwrap();
        let expected = Report::Undelivered(Undelivered::Rejected);
        assert_eq!((told.receipt.of, told.receipt.report), (ReceiptOf::ProviderId("255".to_owned()), expected));
        told.kept.send(true).unwrap();
        let answer = centre.until(RESPONSE | id, 1).await;
        assert_eq!((answer.status, answer.sequence), (0, sequence));
    }
    task.abort();
}

#[tokio::test]
async fn messages_from_people_are_taken_and_dropped_and_nonsense_is_turned_away() {
    let Kept { centre, mut pushed, task } = kept(|config| config).await;
    let trap = LogTrap::set();
    centre.push(pdu(DELIVER, 0, 1, &deliver(0, b"id:id-1 stat:DELIVRD I want 482913", b"")));
    assert_eq!(centre.until(RESPONSE | DELIVER, 1).await.status, 0);
    centre.push(pdu(DELIVER, 0, 2, b"\0\x01\x01never ends"));
    assert_eq!(centre.until(RESPONSE | DELIVER, 2).await.status, 0x65);
    let mut overlong = deliver(0x04, b"id:id-1 stat:DELIVRD", b"");
    overlong.truncate(40);
    centre.push(pdu(DELIVER, 0, 3, &overlong));
    assert_eq!(centre.until(RESPONSE | DELIVER, 3).await.status, 0x65);
    assert!(pushed.try_recv().is_err());
    let log = trap.log();
    assert!(log.contains("a message to us") && !log.contains("482913") && !log.contains("2025550143"), "{log}");
    task.abort();
}

#[tokio::test]
async fn where_nobody_keeps_receipts_they_are_left_with_the_centre() {
    let centre = Centre::start(polite).await;
    let (push, mut pushed) = mpsc::channel(16);
    let mut context = testing::context("carrier", PATIENCE);
    context.pushed = push;
    let provider = build(&config(centre.port), context).unwrap();
    assert_eq!(provider.send(&sms()).await.label(), "accepted");
    centre.push(pdu(DELIVER, 0, 9, &deliver(0x04, b"id:id-1 stat:DELIVRD", b"")));
    assert_eq!(centre.until(RESPONSE | DELIVER, 1).await.status, 0x64);
    assert!(pushed.try_recv().is_err());
}

#[tokio::test]
async fn the_kept_id_and_that_of_the_receipt_are_the_same() {
    let script: Script = |frame, before| if frame.id == SUBMIT { reply(frame, 0, b"00FF\0") } else { polite(frame, before) };
    let centre = Centre::start(script).await;
    let cases = [(ReceiptId::Same, "00FF"), (ReceiptId::HexToDecimal, "255"), (ReceiptId::DecimalToHex, "00FF")];
    for (receipt_id, id) in cases {
        let outcome = provider(&Config { receipt_id, ..config(centre.port) }).send(&sms()).await;
        assert_eq!(outcome, TryOutcome::Accepted { provider_id: Some(id.to_owned()) });
    }
}
