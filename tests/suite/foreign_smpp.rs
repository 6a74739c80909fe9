//! Live sends through a message centre that nobody here wrote: the SMPP server of Python's smpp34.

use std::collections::BTreeMap;
use std::process::Stdio;

use countersign_tests::{Ask, Setup, TestApp, poll, sms, within_patience};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::foreign_smtp::python;

/// Serves SMPP on a free port, prints it, and then each message as one line. Where a receipt is asked for it is pushed, with the id in decimal
/// that the answer gave in hexadecimal, and how it was answered is printed too.
const SERVER: &str = r#"
import asyncio, json, socket, sys
try:
    import smpp34
except ImportError:
    sys.exit("smpp34 is not installed")

def say(**line):
    print(json.dumps(line), flush=True)

async def main():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = smpp34.Server(host="127.0.0.1", port=port, system_id="foreign")
    await server.start()
    say(port=port)
    bound, count = {}, 170
    while True:
        event = await server.next()
        if isinstance(event, smpp34.Esme):
            bound[event.session_id] = event
            say(bound=event.system_id)
        elif isinstance(event, smpp34.SubmitSmEvent):
            count += 1
            event.accept(message_id=f"{count:08X}")
            wanted = event.registered_delivery & 3 == 1
            say(source=[event.source_addr_ton, event.source_addr_npi, event.source_addr],
                target=[event.dest_addr_ton, event.dest_addr_npi, event.destination_addr],
                esm_class=event.esm_class, data_coding=event.data_coding, wanted=wanted, data=event.short_message.hex())
            if wanted:
                receipt = f"id:{count:010d} sub:001 dlvrd:001 submit date:2601151045 done date:2601151046 stat:DELIVRD err:000 text:"
                answer = await bound[event.session_id].deliver_sm(
                    event.source_addr, receipt.encode(), source_addr=event.destination_addr, esm_class=4)
                say(answer=answer.command_status)

asyncio.run(main())
"#;

struct Centre {
    _process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    port: u64,
}

impl Centre {
    async fn start() -> Self {
        let python = python();
        let started =
            Command::new(&python).args(["-c", SERVER]).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true).spawn();
        let mut process =
            started.unwrap_or_else(|error| panic!("{} cannot be run ({error}): set COUNTERSIGN_TEST_PYTHON", python.display()));
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut centre = Self { _process: process, lines, port: 0 };
        let first = within_patience("smpp34", centre.lines.next_line()).await.unwrap();
        let Some(first) = first else {
            panic!(
                "{} has no smpp34: run make test, or set COUNTERSIGN_TEST_PYTHON to an interpreter that has it",
                python.display()
            );
        };
        let first: Value = serde_json::from_str(&first).unwrap();
        centre.port = first["port"].as_u64().unwrap();
        centre
    }

    fn set_up(&self, setup: Setup) -> Setup {
        setup
            .set("providers.carrier.kind", "smpp")
            .set("providers.carrier.host", "127.0.0.1")
            .set("providers.carrier.port", self.port)
            .set("providers.carrier.tls", "none")
            .set("providers.carrier.system_id", "countersign")
            .set("providers.carrier.password", "password")
            .set("providers.carrier.from", "Acme")
            .set("providers.carrier.receipt_id", "hex_to_decimal")
            .set("channels.sms.providers", vec!["carrier"])
    }

    async fn line(&mut self) -> Value {
        let line = within_patience("a line of the centre", self.lines.next_line()).await.unwrap();
        serde_json::from_str(&line.unwrap_or_else(|| panic!("the centre is gone"))).unwrap()
    }

    /// The next line that is not about another node's bind.
    async fn next(&mut self) -> Value {
        loop {
            let line = self.line().await;
            if line["bound"].is_null() {
                return line;
            }
        }
    }

    /// The next message whole, from however many parts, and in how many; and how the answer to its receipt went. The centre's threads tell of
    /// them in any order.
    async fn message(&mut self) -> (Vec<Value>, String, Value) {
        let (mut parts, mut answer, mut count) = (BTreeMap::new(), None, 1);
        while parts.len() < count || answer.is_none() {
            let line = self.next().await;
            let Some(data) = line["data"].as_str() else {
                answer = Some(line);
                continue;
            };
            assert_eq!(line["source"], json!([5, 0, "Acme"]), "{line}");
            assert_eq!(line["target"], json!([1, 1, "12025550143"]), "{line}");
            let mut data = HEXLOWER.decode(data.as_bytes()).unwrap();
            let mut number = 1;
            if line["esm_class"] == 0x40 {
                let header: Vec<u8> = data.drain(..6).collect();
                assert_eq!(header[..3], [5, 0, 3], "{line}");
                (count, number) = (usize::from(header[4]), usize::from(header[5]));
            }
            assert_eq!(line["wanted"] == true, number == count, "a receipt is asked for the last part: {line}");
            assert!(parts.insert(number, (line, data)).is_none(), "a part came twice");
        }
        let (parts, data): (Vec<Value>, Vec<Vec<u8>>) = parts.into_values().unzip();
        let text = data.concat();
        let text = if parts[0]["data_coding"] == 8 {
            let units = text.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).map(Result::unwrap).collect()
        } else {
            // What the test says of GSM-7 is the same in ASCII.
            String::from_utf8(text).unwrap()
        };
        (parts, text, answer.unwrap())
    }
}

fn code(text: &str) -> String {
    let digits: Vec<_> = text.split(|c: char| !c.is_ascii_digit()).filter(|digits| digits.len() == 6).collect();
    assert_eq!(digits.len(), 1, "{text}");
    digits[0].to_owned()
}

const SERVICE: &str = "0d9ff1a6-6a6b-4d7e-9d0a-3f3f5f0e6a01";

#[tokio::test]
async fn texts_in_every_writing_arrive_whole_at_a_foreign_centre_and_its_receipts_make_them_delivered() {
    let mut centre = Centre::start().await;
    let name = json!("Ж".repeat(60));
    let app =
        TestApp::builder().with(|setup| centre.set_up(setup)).generous().service(SERVICE, &[("app_name", name)]).spawn().await;
    assert_eq!(centre.line().await, json!({"bound": "countersign"}), "a bind is there before the first message");

    let to = || sms("+12025550143");
    let cases: [(Ask, &str, u64, u64, usize); 3] = [
        (to(), "Acme", 0, 0, 1),
        (to().set("locale", "ru"), "код", 8, 0, 1),
        (to().set("service_id", SERVICE), "ЖЖЖЖ", 8, 0x40, 2),
    ];
    for (ask, word, data_coding, esm_class, count) in cases {
        let sent = app.live().send(ask).await;
        sent.reply.json("$.channels_sent.sms.success", true);
        let (parts, text, receipt) = centre.message().await;
        assert_eq!(parts.len(), count, "{text}");
        for part in &parts {
            assert_eq!((&part["data_coding"], &part["esm_class"]), (&json!(data_coding), &json!(esm_class)), "{part}");
        }
        assert!(text.contains(word), "{text}");
        assert_eq!(receipt, json!({"answer": 0}), "the receipt is kept");
        poll("the receipt's effect", async || {
            let status = app.live().status(&sent).await;
            let shown = status.text("$.channels.sms.status");
            if shown == "delivered" { Ok(()) } else { Err(shown) }
        })
        .await;
        app.live().verify(&sent, &code(&text)).await.assert(200).json("$.verified", true);
    }
    app.stop().await;
}
