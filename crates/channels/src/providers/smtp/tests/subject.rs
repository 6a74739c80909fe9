//! The server as the suite of all providers sees it: one talk is one request.

use data_encoding::BASE64;
use mail_parser::{HeaderValue, MessageParser};

use super::*;
use crate::provider_suite;
use crate::receipts::Callback;
use crate::testing::server::Request;
use crate::testing::suite::{Behaviour, Double, Subject, Told, build_from};

impl Double for Server {
    fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    fn requests(&self) -> Vec<Request> {
        let seen = self.seen.lock().unwrap();
        let talk = |number: usize| {
            let lines: Vec<&str> = seen.lines.iter().filter(|(of, _)| *of == number).map(|(_, line)| line.as_str()).collect();
            Request { head: lines.join("\n"), body: seen.mails.get(number).cloned().unwrap_or_default() }
        };
        (0..seen.connections).map(talk).collect()
    }
}

struct Vendor;

impl Subject for Vendor {
    type Double = Server;

    const CHANNELS: &'static [Channel] = &[Channel::Email];
    const WAYS: [usize; 4] = [2, 2, 3, 3];

    fn section(url: &str) -> String {
        let (_, address) = url.split_once("://").unwrap();
        let (host, port) = address.split_once(':').unwrap();
        format!(
            "host = \"{host}\"\nport = {port}\ntls = \"none\"\nusername = \"postman\"\npassword = \"hush hush\"\nfrom = \"Acme Ltd \
             <no-reply@acme.example>\"\nhello = \"client.test\""
        )
    }

    fn build(section: &str, context: ProviderContext) -> (Result<Arc<dyn Provider>, ConfigError>, String) {
        build_from(section, context, build)
    }

    async fn start(behaviour: Behaviour) -> Server {
        Server::start(match behaviour {
            Behaviour::Accepts(_) => polite,
            Behaviour::Refuses(0) => replies!("RCPT", "550 5.1.1 no such user"),
            Behaviour::Refuses(_) => replies!(".", "550 5.1.1 no such user"),
            Behaviour::Throttles(0) => replies!("RCPT", "450 4.2.1 slow down"),
            Behaviour::Throttles(_) => replies!("MAIL", "421 4.7.0 too many mails"),
            Behaviour::RefusesUs(0) => replies!("AUTH", "535 5.7.8 wrong"),
            Behaviour::RefusesUs(1) => replies!("MAIL", "530 5.7.0 authentication required"),
            Behaviour::RefusesUs(_) => replies!("EHLO", "250-mail.test\r\n250 AUTH GSSAPI"),
            Behaviour::Fails(0) => replies!("RCPT", "550 <ann@example.com> 482913 and I will not say why"),
            Behaviour::Fails(1) => replies!("MAIL", "550 5.7.1 not you"),
            Behaviour::Fails(_) => replies!(".", "554 5.6.0 not that"),
            Behaviour::Cuts => |_, line| if line == "." { Act::Cut } else { polite(0, line) },
        })
        .await
    }

    fn accepted_id(_: Channel, message: &Rendered) -> Option<String> {
        Some(format!("{}@acme.example", message.id))
    }

    fn check(request: &Request, message: &Rendered) {
        let login = BASE64.encode(b"\0postman\0hush hush");
        let said: Vec<&str> = request.head.lines().filter(|line| *line != "QUIT").collect();
        let auth = format!("AUTH PLAIN {login}");
        let expected = ["EHLO client.test", &auth, "MAIL FROM:<no-reply@acme.example>", "RCPT TO:<ann@example.com>", "DATA"];
        assert_eq!(said, expected);

        let mail = MessageParser::default().parse(&request.body).unwrap();
        let Content::Email { subject, text, html } = &message.content else { panic!("a mail was asked for") };
        let names: Vec<&str> = mail.headers().iter().map(mail_parser::Header::name).collect();
        for name in ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"] {
            assert_eq!(names.iter().filter(|known| known.eq_ignore_ascii_case(name)).count(), 1, "{name} in {names:?}");
        }
        for (name, value) in [
            ("Auto-Submitted", "auto-generated"),
            ("X-Auto-Response-Suppress", "RN, NRN, OOF, AutoReply"),
            ("Content-Language", "en"),
        ] {
            assert_eq!(mail.header_raw(name).map(str::trim), Some(value), "{name}");
        }
        assert!(matches!(mail.header("To"), Some(HeaderValue::Address(_))), "{}", request.body);
        assert_eq!(mail.subject(), Some(subject.as_str()));
        assert_eq!(mail.body_text(0).unwrap(), text.replace('\n', "\r\n"));
        assert_eq!(mail.body_html(0).unwrap(), html.replace('\n', "\r\n"));
    }

    fn callback(_: Told, _: Channel, _: countersign_model::Reference, _: &str) -> Option<Callback> {
        None
    }

    fn forgeries(_: &Callback) -> Vec<Callback> {
        Vec::new()
    }
}

provider_suite!(Vendor);
