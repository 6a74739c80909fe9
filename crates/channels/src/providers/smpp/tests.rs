mod binds;
mod centre;
mod pushed;
mod tls;

use std::time::Duration;

use countersign_model::Reference;
use secrecy::SecretString;

use self::centre::{Act, BIND_TRANSCEIVER, Centre, Frame, SUBMIT, Script, UNBIND, pdu, polite, reply};
use super::config::{Alphabet, Parts, ReceiptId, Tls, Version};
use super::*;
use crate::config::ConfigError;
use crate::provider_suite;
use crate::receipts::Callback;
use crate::testing::server::Request;
use crate::testing::suite::{Behaviour, Subject, Told, build_from};
use crate::testing::{self, LogTrap, outgoing, rendered, sms};

const PATIENCE: Duration = Duration::from_secs(40);

fn config(port: u16) -> Config {
    Config {
        host: "127.0.0.1".to_owned(),
        port: Some(port),
        tls: Tls::None,
        ca_file: None,
        system_id: "countersign".to_owned(),
        password: Some(SecretString::from("hush1234")),
        password_file: None,
        system_type: "OTP".to_owned(),
        bind: Bind::Transceiver,
        version: Version::V34,
        from: "Acme".to_owned(),
        from_ton: None,
        from_npi: None,
        to_ton: 1,
        to_npi: 1,
        window: 10,
        enquire_link_seconds: 30,
        alphabet: Alphabet::Gsm7,
        data_coding: 0,
        parts: Parts::Udh,
        validity: true,
        receipt_id: ReceiptId::Same,
    }
}

fn provider(config: &Config) -> Arc<dyn Provider> {
    build(config, testing::context("carrier", PATIENCE)).unwrap()
}

async fn outcome(script: Script) -> TryOutcome {
    let centre = Centre::start(script).await;
    provider(&config(centre.port)).send(&sms()).await
}

struct Carrier;

/// The scripts of the suite, by how a `submit_sm` is answered.
macro_rules! answers {
    ($status:literal) => {
        |frame, before| if frame.id == SUBMIT { reply(frame, $status, b"") } else { polite(frame, before) }
    };
}

fn cuts(frame: &Frame, before: usize) -> Act {
    if frame.id == SUBMIT { Act::Cut } else { polite(frame, before) }
}

impl Subject for Carrier {
    type Double = Centre;

    const CHANNELS: &'static [Channel] = &[Channel::Sms];
    const WAYS: [usize; 4] = [1, 2, 3, 2];

    fn section(url: &str) -> String {
        let port = url.rsplit(':').next().unwrap();
        format!(
            "host = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nsystem_id = \"countersign\"\npassword = \"hush1234\"\n\
             system_type = \"OTP\"\nfrom = \"Acme\""
        )
    }

    fn build(section: &str, context: ProviderContext) -> (Result<Arc<dyn Provider>, ConfigError>, String) {
        build_from::<Config>(section, context, build)
    }

    async fn start(behaviour: Behaviour) -> Centre {
        let script: Script = match behaviour {
            Behaviour::Accepts(_) => polite,
            Behaviour::Refuses(_) => answers!(0x0B),
            Behaviour::Throttles(0) => answers!(0x58),
            Behaviour::Throttles(_) => answers!(0x14),
            Behaviour::RefusesUs(0) => answers!(0x0A),
            Behaviour::RefusesUs(1) => answers!(0x53),
            Behaviour::RefusesUs(_) => answers!(0x104),
            Behaviour::Fails(0) => answers!(0x45),
            Behaviour::Fails(_) => answers!(0x08),
            Behaviour::Cuts => cuts,
        };
        Centre::start(script).await
    }

    fn accepted_id(_: Channel, _: &Rendered) -> Option<String> {
        Some("id-1".to_owned())
    }

    fn check(request: &Request, message: &Rendered) {
        let text = message.text().as_bytes();
        let expected = [
            &b"\0\x05\0Acme\0\x01\x0112025550143\0\0\0\0\0"[..],
            b"000000001000000R\0\x01\0\0\0",
            &[u8::try_from(text.len()).unwrap()][..],
            text,
        ];
        assert_eq!(request.body, data_encoding::HEXLOWER.encode(&expected.concat()));
    }

    fn callback(_: Told, _: Channel, _: Reference, _: &str) -> Option<Callback> {
        None
    }

    fn forgeries(_: &Callback) -> Vec<Callback> {
        Vec::new()
    }
}

provider_suite!(Carrier);

#[tokio::test]
async fn a_bind_says_who_we_are_and_in_which_version() {
    for (version, byte) in [(Version::V34, 0x34), (Version::V50, 0x50)] {
        let centre = Centre::start(polite).await;
        let config = Config { version, ..config(centre.port) };
        assert_eq!(provider(&config).send(&sms()).await.label(), "accepted");
        let bind = centre.of(BIND_TRANSCEIVER).remove(0);
        let expected = [&b"countersign\0hush1234\0OTP\0"[..], &[byte], b"\0\0\0"].concat();
        assert_eq!((bind.status, bind.sequence, bind.body), (0, 1, expected));
    }
}

#[tokio::test]
async fn every_answer_to_a_message_has_its_meaning() {
    let cases: [(Script, &str); 24] = [
        (answers!(0x01), "unknown"),
        (answers!(0x04), "misconfigured"),
        (answers!(0x05), "unknown"),
        (answers!(0x07), "misconfigured"),
        (answers!(0x08), "unknown"),
        (answers!(0x0A), "misconfigured"),
        (answers!(0x0B), "refused"),
        (answers!(0x0D), "misconfigured"),
        (answers!(0x0E), "misconfigured"),
        (answers!(0x0F), "misconfigured"),
        (answers!(0x14), "throttled"),
        (answers!(0x15), "misconfigured"),
        (answers!(0x43), "misconfigured"),
        (answers!(0x45), "unknown"),
        (answers!(0x48), "misconfigured"),
        (answers!(0x51), "misconfigured"),
        (answers!(0x58), "throttled"),
        (answers!(0x62), "misconfigured"),
        (answers!(0x64), "unknown"),
        (answers!(0xC1), "misconfigured"),
        (answers!(0xFF), "unknown"),
        (answers!(0x101), "misconfigured"),
        (answers!(0x104), "misconfigured"),
        (answers!(0x400), "unknown"),
    ];
    for (script, label) in cases {
        let outcome = outcome(script).await;
        assert_eq!(outcome.label(), label, "{outcome:?}");
    }
    let shown = outcome(answers!(0x45)).await.diagnostic().unwrap().to_string();
    assert_eq!(shown, "SMPP 0x00000045");
}

#[tokio::test]
async fn a_yes_is_a_yes_whatever_it_calls_the_message() {
    let script: [(Script, Option<&str>); 4] = [
        (answers!(0), None),
        (|frame, before| if frame.id == SUBMIT { reply(frame, 0, b"unended") } else { polite(frame, before) }, Some("unended")),
        (|frame, before| if frame.id == SUBMIT { reply(frame, 0, b" padded \0") } else { polite(frame, before) }, Some("padded")),
        (|frame, before| if frame.id == SUBMIT { reply(frame, 0, b"two words\0") } else { polite(frame, before) }, None),
    ];
    for (script, id) in script {
        assert_eq!(outcome(script).await, TryOutcome::Accepted { provider_id: id.map(str::to_owned) });
    }
    let nack: Script = |frame, before| {
        if frame.id == SUBMIT { Act::Say(pdu(0x8000_0000, 3, frame.sequence, b"")) } else { polite(frame, before) }
    };
    assert_eq!(outcome(nack).await, TryOutcome::Unknown(Diagnostic::Smpp(3)));
}

#[tokio::test]
async fn answers_find_their_messages_by_number_and_not_by_order() {
    let centre = Centre::start(|frame, before| if frame.id == SUBMIT { Act::Nothing } else { polite(frame, before) }).await;
    let provider = provider(&config(centre.port));
    let sent = |provider: &Arc<dyn Provider>| {
        let provider = Arc::clone(provider);
        tokio::spawn(async move { provider.send(&sms()).await })
    };
    let first = sent(&provider);
    let one = centre.until(SUBMIT, 1).await;
    let second = sent(&provider);
    let two = centre.until(SUBMIT, 2).await;
    assert_ne!(one.sequence, two.sequence);
    centre.push(pdu(0x8000_0004, 0, 999_999, b"nobody\0"));
    centre.push(pdu(0x8000_0004, 0, two.sequence, b"two\0"));
    assert_eq!(second.await.unwrap(), TryOutcome::Accepted { provider_id: Some("two".to_owned()) });
    centre.push(pdu(0x8000_0004, 0x58, one.sequence, b""));
    assert_eq!(first.await.unwrap(), TryOutcome::Throttled(Diagnostic::Smpp(0x58)));
}

/// Where fields of a `submit_sm` from `Acme` to the test's number stand, with a validity period.
const CLASS: usize = 22;
const REGISTERED: usize = 43;
const CODING: usize = 45;
const LENGTH: usize = 47;
const TEXT: usize = 48;

/// A message so long that it takes two parts.
fn long(app: &str) -> Rendered {
    let mut message = outgoing(Channel::Sms);
    message.app_name = app.repeat(25);
    rendered(message)
}

#[tokio::test]
async fn a_long_text_goes_in_parts_and_each_asks_for_a_receipt() {
    let centre = Centre::start(polite).await;
    let message = long("Acme ");
    let outcome = provider(&config(centre.port)).send(&message).await;
    assert_eq!(outcome, TryOutcome::Accepted { provider_id: Some("id-1 id-2".to_owned()) });
    let parts = centre.of(SUBMIT);
    assert_eq!(parts.len(), 2);
    let mut text = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        assert_eq!(part.body.len(), TEXT + usize::from(part.body[LENGTH]));
        assert_eq!(part.body[CLASS], 0x40, "the class says that a header follows");
        assert_eq!(part.body[REGISTERED], 1);
        let header = &part.body[TEXT..TEXT + 6];
        assert_eq!(header, [5, 0, 3, parts[0].body[TEXT + 3], 2, u8::try_from(index + 1).unwrap()]);
        text.extend_from_slice(&part.body[TEXT + 6..]);
    }
    assert_eq!(String::from_utf8(text).unwrap(), message.text());
}

#[tokio::test]
async fn parts_can_be_joined_by_parameters_or_left_to_the_centre() {
    let message = long("жи");
    let wide: Vec<u8> = message.text().encode_utf16().flat_map(u16::to_be_bytes).collect();

    let centre = Centre::start(polite).await;
    assert_eq!(provider(&Config { parts: Parts::Sar, ..config(centre.port) }).send(&message).await.label(), "accepted");
    let parts = centre.of(SUBMIT);
    let mut text = Vec::new();
    for (part, number) in parts.iter().zip(1_u8..) {
        assert_eq!((part.body[CLASS], part.body[CODING]), (0, 8));
        let end = TEXT + usize::from(part.body[LENGTH]);
        text.extend_from_slice(&part.body[TEXT..end]);
        let reference = part.body[end + 5];
        let total = u8::try_from(parts.len()).unwrap();
        let tags = [0x02, 0x0C, 0, 2, 0, reference, 0x02, 0x0E, 0, 1, total, 0x02, 0x0F, 0, 1, number];
        assert_eq!(part.body[end..], tags);
    }
    assert!(text == wide && parts.len() > 1, "{parts:?}");

    let centre = Centre::start(polite).await;
    assert_eq!(provider(&Config { parts: Parts::Payload, ..config(centre.port) }).send(&message).await.label(), "accepted");
    let part = centre.of(SUBMIT).remove(0);
    let length = u16::try_from(wide.len()).unwrap().to_be_bytes();
    assert_eq!(part.body[LENGTH..], [&[0, 0x04, 0x24], &length[..], &wide].concat());
    assert_eq!(centre.of(SUBMIT).len(), 1);
}

#[tokio::test]
async fn a_message_of_which_only_a_part_was_taken_is_unclear() {
    let script: Script = |frame, before| match frame.id {
        SUBMIT if before == 1 => reply(frame, 0x58, b""),
        _ => polite(frame, before),
    };
    let centre = Centre::start(script).await;
    assert_eq!(provider(&config(centre.port)).send(&long("Acme ")).await.label(), "unclear");
    let centre = Centre::start(answers!(0x58)).await;
    assert_eq!(provider(&config(centre.port)).send(&long("Acme ")).await.label(), "throttled");
}

#[tokio::test]
async fn parts_of_one_name_are_a_message_of_that_name_and_a_part_without_one_leaves_it_nameless() {
    let cases: [(Script, Option<&str>); 2] = [
        (|frame, before| if frame.id == SUBMIT { reply(frame, 0, b"all\0") } else { polite(frame, before) }, Some("all")),
        (
            |frame, before| match frame.id {
                SUBMIT if before == 0 => reply(frame, 0, b"\0"),
                _ => polite(frame, before),
            },
            None,
        ),
    ];
    for (script, name) in cases {
        let centre = Centre::start(script).await;
        let outcome = provider(&config(centre.port)).send(&long("Acme ")).await;
        assert_eq!(outcome, TryOutcome::Accepted { provider_id: name.map(str::to_owned) });
    }
}

#[tokio::test]
async fn no_character_of_the_extension_table_is_split_between_two_parts() {
    // 152 letters, then characters of two septets each: the first would begin in the first part and end in the second.
    let text = format!("{}€[]{{}}", "a".repeat(152));
    let (udh, sar) = (Centre::start(polite).await, Centre::start(polite).await);
    for (centre, parts, header) in [(&udh, Parts::Udh, 6), (&sar, Parts::Sar, 0)] {
        let mut message = sms();
        message.content = crate::provider::Content::Phone { text: text.clone() };
        assert_eq!(provider(&Config { parts, ..config(centre.port) }).send(&message).await.label(), "accepted");
        let sent = centre.of(SUBMIT);
        let written: Vec<&[u8]> =
            sent.iter().map(|part| &part.body[TEXT + header..TEXT + usize::from(part.body[LENGTH])]).collect();
        assert_eq!(written, [&[b'a'; 152][..], &[0x1B, 0x65, 0x1B, 0x3C, 0x1B, 0x3E, 0x1B, 0x28, 0x1B, 0x29]]);
    }
}

#[tokio::test]
async fn a_sender_that_a_call_chose_stands_in_place_of_the_configured_one() {
    let centre = Centre::start(polite).await;
    let provider = provider(&Config { from_ton: Some(6), from_npi: Some(9), validity: false, ..config(centre.port) });
    let mut chosen = outgoing(Channel::Sms);
    chosen.sender = Some("+12025550199".to_owned());
    assert_eq!(provider.send(&rendered(chosen)).await.label(), "accepted");
    assert_eq!(provider.send(&sms()).await.label(), "accepted");
    let messages = centre.of(SUBMIT);
    assert!(messages[0].body.starts_with(b"\0\x01\x0112025550199\0"), "{messages:?}");
    assert!(messages[1].body.starts_with(b"\0\x06\x09Acme\0\x01\x0112025550143\0\0\0\0\0\0\x01"), "{messages:?}");
    let mut odd = outgoing(Channel::Sms);
    odd.sender = Some("Söhne".to_owned());
    assert_eq!(provider.send(&rendered(odd)).await.label(), "misconfigured");
}

#[test]
fn a_life_is_told_as_a_relative_time() {
    let cases =
        [(60, "000000000100000R"), (597, "000000000957000R"), (90_305, "000001010505000R"), (2_592_000, "000030000000000R")];
    for (seconds, expected) in cases {
        assert_eq!(wire::validity(seconds).unwrap().as_str(), expected, "{seconds}");
    }
}

#[tokio::test]
async fn the_centre_is_told_what_is_left_of_the_codes_life() {
    let centre = Centre::start(polite).await;
    let provider = provider(&config(centre.port));
    let mut message = sms();
    for (left, told) in [(Some(237_900), "000000000357000R"), (Some(0), "000000000100000R"), (None, "")] {
        message.expires_at = left.map(|left| testing::NOW.plus(Duration::from_millis(left)));
        assert_eq!(provider.send(&message).await.label(), "accepted");
        let body = String::from_utf8_lossy(&centre.of(SUBMIT).pop().unwrap().body).into_owned();
        assert!(body.contains(told) && (!told.is_empty() || !body.contains("000R")), "{left:?}: {body:?}");
    }
}

#[test]
fn a_mistake_is_told_by_its_key() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let good = || config(2775);
    let implicit = || Config { tls: Tls::Implicit, ..good() };
    let cases = [
        (Config { host: "smpp://x".to_owned(), ..good() }, "providers.carrier.host: must be a host name"),
        (Config { window: 0, ..good() }, "providers.carrier.window: must be 1 to 1000"),
        (Config { enquire_link_seconds: 4, ..good() }, "providers.carrier.enquire_link_seconds: must be 5 to 3600"),
        (Config { password: None, ..good() }, "providers.carrier.system_id: needs `password` beside it"),
        (Config { password: Some("123456789".into()), ..good() }, "providers.carrier.password: must be up to 8 visible"),
        (Config { password: Some("pä".into()), ..good() }, "providers.carrier.password: must be up to 8 visible"),
        (Config { password_file: Some("/x".into()), ..good() }, "providers.carrier.password: give the value or the file"),
        (Config { system_id: "x".repeat(16), ..good() }, "providers.carrier.system_id: must be up to 15 visible"),
        (Config { system_type: "x".repeat(13), ..good() }, "providers.carrier.system_type: must be up to 12 visible"),
        (Config { from: String::new(), ..good() }, "providers.carrier.from: must be 1 to 20 visible"),
        (Config { ca_file: Some("/nowhere".into()), ..good() }, "providers.carrier.ca_file: must be left out when tls"),
        (Config { ca_file: Some("/nowhere".into()), ..implicit() }, "providers.carrier.ca_file: cannot read /nowhere"),
        (Config { ca_file: Some(file.path().into()), ..implicit() }, "providers.carrier.ca_file: holds no PEM certificate"),
    ];
    for (config, expected) in cases {
        let told = config.settle("providers.carrier").err().unwrap().to_string();
        assert!(told.starts_with(expected), "{told}\n{expected}");
    }
    assert_eq!((good().settle("x").unwrap().port, Config { port: None, ..good() }.settle("x").unwrap().port), (2775, 2775));
    assert_eq!(Config { port: None, ..implicit() }.settle("x").unwrap().port, 3550);
}

#[tokio::test]
async fn nothing_that_a_centre_says_brings_the_provider_down() {
    let hostile: [Script; 5] = [
        |_, _| Act::Say(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        |_, _| Act::Say(vec![0, 0, 0, 3, 0, 0, 0, 0]),
        |_, _| Act::Say(vec![0xFF; 64]),
        |frame, _| Act::Say(pdu(0x8000_0009, 0, frame.sequence, b"")[..15].to_vec()),
        |_, _| Act::Cut,
    ];
    for script in hostile {
        let centre = Centre::start(script).await;
        let mut context = testing::context("carrier", Duration::from_millis(400));
        context.key = "x".to_owned();
        let provider = build(&config(centre.port), context).unwrap();
        assert_eq!(provider.send(&sms()).await.label(), "unreachable");
        assert_eq!(centre.of(SUBMIT), []);
    }
    let trap = LogTrap::set();
    let centre = Centre::start(polite).await;
    let provider = provider(&config(centre.port));
    assert_eq!(provider.send(&sms()).await.label(), "accepted");
    let log = trap.log();
    assert!(!log.contains("482913") && !log.contains("hush"), "{log}");
    drop(provider);
    centre.until(UNBIND, 1).await;
}
