//! Messages and doubles for the tests of this crate.

pub(crate) mod server;
// Whoever keeps to it has secrets to keep.
#[cfg(feature = "secret")]
pub(crate) mod suite;

use std::fmt::{self, Write as _};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_model::{
    Autofill, Channel, Code, Errand, KeyKind, MessageId, Mode, Outgoing, Partition, Recipient, Scope, SeededRng, SessionId,
    TenantId, Timestamp,
};
use tokio::net::TcpSocket;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::provider::Rendered;
use crate::render::Renderer;

/// 2026-01-15T10:45:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_768_473_900_000);

pub(crate) fn outgoing(channel: Channel) -> Outgoing {
    let recipient = if channel == Channel::Email { "ann@example.com" } else { "+12025550143" };
    Outgoing {
        id: MessageId::mint(NOW, &SeededRng::new(7), Partition::of(3)),
        errand: errand(),
        mode: Mode::Live,
        channel,
        recipient: Recipient::parse(channel, recipient).unwrap(),
        sender: None,
        code: Code::parse("482913").unwrap(),
        app_name: "Acme".to_owned(),
        locale: "en".to_owned(),
        expires_at: NOW.plus(Duration::from_mins(10)),
        minutes: 10,
        autofill: Autofill::default(),
        never_share: true,
        wording: None,
        rehearsal: None,
    }
}

/// Of a session that every message here is of.
pub(crate) fn errand() -> Errand {
    let rng = SeededRng::new(8);
    Errand {
        session: SessionId::mint(NOW, &rng, Partition::of(3)),
        scope: Scope { tenant: TenantId::mint(NOW, &rng, Partition::of(3)), keys: KeyKind::Live },
        service: None,
        country: None,
        passed_over: Vec::new(),
    }
}

pub(crate) fn rendered(message: Outgoing) -> Rendered {
    Renderer::new(2).render(message).unwrap()
}

pub(crate) fn sms() -> Rendered {
    rendered(outgoing(Channel::Sms))
}

pub(crate) fn email() -> Rendered {
    rendered(outgoing(Channel::Email))
}

#[cfg(feature = "mail")]
pub(crate) fn email_to(address: &str) -> Rendered {
    Rendered { recipient: Recipient::parse(Channel::Email, address).unwrap(), ..email() }
}

#[cfg(feature = "mail")]
pub(crate) fn mailbox(name: Option<&str>, address: &str) -> crate::mail::Mailbox {
    crate::mail::Mailbox { name: name.map(str::to_owned), address: address.to_owned() }
}

#[cfg(feature = "secret")]
pub(crate) fn context(name: &str, patience: Duration) -> crate::registry::ProviderContext {
    use countersign_model::ManualClock;

    let house = crate::House { clock: Arc::new(ManualClock::new(NOW)), rng: Arc::new(SeededRng::new(9)), public_url: None };
    crate::registry::ProviderContext::common(&house, patience, tokio::sync::mpsc::channel(16).0).of(name, "kind", None)
}

/// A port of 127.0.0.1 on which nobody listens. It is held, so that nobody comes to listen there meanwhile.
pub(crate) struct Unused(TcpSocket);

impl Unused {
    pub(crate) fn hold() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        Self(socket)
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }
}

/// Collects everything that is logged on this thread, at every level, until it is dropped.
pub(crate) struct LogTrap {
    lines: Arc<Mutex<String>>,
    _guard: tracing::subscriber::DefaultGuard,
}

impl LogTrap {
    pub(crate) fn set() -> Self {
        let lines = Arc::<Mutex<String>>::default();
        let guard = tracing::subscriber::set_default(Collector(Arc::clone(&lines)));
        tracing::trace!("the trap is set");
        Self { lines, _guard: guard }
    }

    pub(crate) fn log(&self) -> String {
        let log = self.lines.lock().unwrap().clone();
        assert!(log.contains("the trap is set"), "{log}");
        log
    }
}

struct Collector(Arc<Mutex<String>>);

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = writeln!(self.0, "{field}={value:?}");
    }
}

impl Subscriber for Collector {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Fields(&mut self.0.lock().unwrap()));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Fields(&mut self.0.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Fields(&mut self.0.lock().unwrap()));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn nobody_listens_on_a_port_that_is_held() {
    let unused = Unused::hold();
    let refused = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, unused.port())).await;
    assert_eq!(refused.map(drop).map_err(|error| error.kind()), Err(std::io::ErrorKind::ConnectionRefused));
}
