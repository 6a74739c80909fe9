//! A message centre that nobody here wrote: the SMPP server of Python's smpp34.

use std::collections::BTreeMap;
use std::process::Stdio;

use countersign_tests::{Setup, within_patience};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::foreign_smtp::python;

/// Serves SMPP on a free port, prints it, and then each message as one line. A receipt is pushed when a line asks for it, with the id in decimal
/// that the answer gave in hexadecimal, through the binds in turn; how it was answered is printed too.
const SERVER: &str = r#"
import asyncio, json, socket, sys, threading
try:
    import smpp34
except ImportError:
    sys.exit("smpp34 is not installed")

def say(**line):
    print(json.dumps(line), flush=True)

async def push(order, count, message, binds):
    receipt = f"id:{order['id']:010d} sub:001 dlvrd:001 submit date:2601151045 done date:2601151046 stat:{order['stat']} err:000 text:"
    bind = binds[count % len(binds)]
    answer = await bind.deliver_sm(message.source_addr, receipt.encode(), source_addr=message.destination_addr, esm_class=4)
    say(answer=answer.command_status)

async def main():
    # It does not listen, and keeps the port from everybody else.
    place = socket.socket()
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    place.bind(("127.0.0.1", 0))
    port = place.getsockname()[1]
    server = smpp34.Server(host="127.0.0.1", port=port, system_id="foreign")
    await server.start()
    say(port=port)
    bound, messages, loop = {}, {}, asyncio.get_running_loop()

    def hear():
        for count, line in enumerate(sys.stdin):
            order = json.loads(line)
            asyncio.run_coroutine_threadsafe(push(order, count, messages[order["id"]], list(bound.values())), loop)

    threading.Thread(target=hear, daemon=True).start()
    count = 170
    while True:
        event = await server.next()
        if isinstance(event, smpp34.Esme):
            bound[event.session_id] = event
            say(bound=event.system_id)
        elif isinstance(event, smpp34.Unbound):
            bound.pop(event.session_id, None)
        elif isinstance(event, smpp34.SubmitSmEvent):
            count += 1
            messages[count] = event
            event.accept(message_id=f"{count:08X}")
            say(id=count, source=[event.source_addr_ton, event.source_addr_npi, event.source_addr],
                target=[event.dest_addr_ton, event.dest_addr_npi, event.destination_addr],
                esm_class=event.esm_class, data_coding=event.data_coding, wanted=event.registered_delivery & 3 == 1,
                data=event.short_message.hex(), tags={f"{tlv.tag:04x}": tlv.value.hex() for tlv in event.tlvs})

asyncio.run(main())
"#;

/// The server.
pub(super) struct Centre {
    _process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    orders: ChildStdin,
    port: u64,
}

/// A message as the centre has it, from however many parts.
pub(super) struct Message {
    /// What the centre calls its parts, in order.
    pub(super) ids: Vec<u64>,
    pub(super) data_coding: u64,
    pub(super) esm_class: u64,
    /// What each part says by itself.
    pub(super) parts: Vec<String>,
}

impl Message {
    /// The whole text.
    pub(super) fn text(&self) -> String {
        self.parts.concat()
    }
}

/// One part, and how it is joined with the others: what they have in common, how many they are, which it is.
struct Part {
    line: Value,
    data: Vec<u8>,
    joined: Option<(u16, usize, usize)>,
}

impl Part {
    fn read(line: Value) -> Self {
        assert_eq!(line["source"], json!([5, 0, "Acme"]), "{line}");
        assert_eq!(line["target"], json!([1, 1, "12025550143"]), "{line}");
        assert_eq!(line["wanted"], true, "a receipt is asked for each part: {line}");
        let bytes = |text: &Value| text.as_str().map(|text| HEXLOWER.decode(text.as_bytes()).unwrap());
        let tag = |name: &str| bytes(&line["tags"][name]);
        let mut data = bytes(&line["data"]).unwrap();
        let mut joined = None;
        if line["esm_class"] == 0x40 {
            let header: Vec<u8> = data.drain(..6).collect();
            assert_eq!(header[..3], [5, 0, 3], "{line}");
            joined = Some((header[3].into(), header[4].into(), header[5].into()));
        }
        if let (Some(reference), Some(total), Some(number)) = (tag("020c"), tag("020e"), tag("020f")) {
            assert_eq!((reference.len(), total.len(), number.len(), joined), (2, 1, 1, None), "{line}");
            joined = Some((u16::from_be_bytes([reference[0], reference[1]]), total[0].into(), number[0].into()));
        }
        if let Some(payload) = tag("0424") {
            assert!(data.is_empty() && joined.is_none(), "{line}");
            data = payload;
        }
        Self { line, data, joined }
    }

    fn text(&self) -> String {
        if self.line["data_coding"] == 8 {
            assert_eq!(self.data.len() % 2, 0, "{}", self.line);
            let units = self.data.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            return char::decode_utf16(units).map(|unit| unit.expect("no character is split")).collect();
        }
        let (mut text, mut bytes) = (String::new(), self.data.iter());
        while let Some(byte) = bytes.next() {
            text.push(match byte {
                0x1B => extended(*bytes.next().expect("no escape is split from what it escapes")),
                0x00 => '@',
                0x02 => '$',
                0x05 => 'é',
                0x1E => 'ß',
                // Here the alphabet is that of ASCII.
                b' '..=b'#' | b'%'..=b'?' | b'A'..=b'Z' | b'a'..=b'z' => char::from(*byte),
                other => panic!("{other:#x} in {}", self.line),
            });
        }
        text
    }
}

/// The extension of the default alphabet (3GPP TS 23.038, 6.2.1.1).
fn extended(byte: u8) -> char {
    match byte {
        0x14 => '^',
        0x28 => '{',
        0x29 => '}',
        0x2F => '\\',
        0x3C => '[',
        0x3D => '~',
        0x3E => ']',
        0x40 => '|',
        0x65 => '€',
        other => panic!("{other:#x} is escaped"),
    }
}

impl Centre {
    pub(super) async fn start() -> Self {
        let python = python();
        let started = Command::new(&python)
            .args(["-c", SERVER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn();
        let mut process =
            started.unwrap_or_else(|error| panic!("{} cannot be run ({error}): set COUNTERSIGN_TEST_PYTHON", python.display()));
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let orders = process.stdin.take().unwrap();
        let mut centre = Self { _process: process, lines, orders, port: 0 };
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

    /// Text messages go to the centre; `parts`: how those are joined that need several.
    pub(super) fn set_up(&self, setup: Setup, parts: &str) -> Setup {
        setup
            .set("providers.carrier.kind", "smpp")
            .set("providers.carrier.host", "127.0.0.1")
            .set("providers.carrier.port", self.port)
            .set("providers.carrier.tls", "none")
            .set("providers.carrier.system_id", "countersign")
            .set("providers.carrier.password", "password")
            .set("providers.carrier.from", "Acme")
            .set("providers.carrier.parts", parts)
            .set("providers.carrier.receipt_id", "hex_to_decimal")
            .set("channels.sms.providers", vec!["carrier"])
    }

    pub(super) async fn line(&mut self) -> Value {
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

    /// The next message whole. The centre's threads tell of its parts in any order.
    pub(super) async fn message(&mut self) -> Message {
        let (mut parts, mut common) = (BTreeMap::new(), None);
        loop {
            let part = Part::read(self.next().await);
            let (reference, total, number) = part.joined.unwrap_or((0, 1, 1));
            assert!((1..=total).contains(&number), "{}", part.line);
            let of = (reference, total, part.line["data_coding"].as_u64(), part.line["esm_class"].as_u64());
            assert_eq!(*common.get_or_insert(of), of, "the parts are of one message");
            assert!(parts.insert(number, part).is_none(), "a part came twice");
            if parts.len() == total {
                break;
            }
        }
        let first = &parts[&1].line;
        Message {
            data_coding: first["data_coding"].as_u64().unwrap(),
            esm_class: first["esm_class"].as_u64().unwrap(),
            ids: parts.values().map(|part| part.line["id"].as_u64().unwrap()).collect(),
            parts: parts.values().map(Part::text).collect(),
        }
    }

    /// Pushes a receipt of one part, and waits until it is kept.
    pub(super) async fn tell(&mut self, id: u64, stat: &str) {
        let order = format!("{}\n", json!({"id": id, "stat": stat}));
        self.orders.write_all(order.as_bytes()).await.unwrap();
        self.orders.flush().await.unwrap();
        assert_eq!(self.next().await, json!({"answer": 0}), "the receipt is kept");
    }
}
