use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use async_trait::async_trait;
use countersign_model::{Channel, Code, Errand, MessageId, Mode, ProviderName, Recipient, Reference, Rehearsal, Timestamp};

use crate::receipts::Receipts;
use crate::voice::VoiceScript;

/// Whoever takes messages for people: a mail server, an SMS gateway, the console.
///
/// An implementation does one try. It repeats nothing that may have gone out, and it may be dropped at any await: its time is up.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The operator's name for it.
    fn name(&self) -> &ProviderName;

    /// Whether it can reach people on `channel`.
    fn serves(&self, channel: Channel) -> bool;

    /// Final at once: `send` cannot fail, so the attempt may be recorded as accepted before it is called.
    fn is_instant(&self) -> bool;

    /// Hands over one message.
    async fn send(&self, message: &Rendered) -> TryOutcome;

    /// Reaches the provider without sending anything.
    async fn check(&self) -> Result<(), CheckError>;

    /// Who reads what it posts back; none: it tells nothing over HTTP.
    fn receipts(&self) -> Option<&dyn Receipts>;

    /// What may be expected to be told of messages that it took.
    fn tells(&self) -> Tells;

    /// Holds open what has to be held open beside sends, until it is dropped. Returns at once where that is nothing.
    async fn keep_up(&self);
}

/// Whether a provider tells what became of messages, and how it names them then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tells {
    /// No receipt ever comes: it has none, or the house asks for none, since it is not set up for them.
    Nothing,
    /// By the [`Reference`] that it was handed.
    ByReference,
    /// By its own id, which has to be kept.
    ById,
}

/// A message in its words, ready for any provider of its channel. Holds the code, if it is about one: no provider may log or keep it.
pub struct Rendered {
    /// Its id.
    pub id: MessageId,
    /// Whose it is.
    pub errand: Errand,
    /// Live, or sandbox: how its id is shown. Providers that reach people see live ones only.
    pub mode: Mode,
    /// The way.
    pub channel: Channel,
    /// The person.
    pub recipient: Recipient,
    /// Whom it comes from: a name, a number or an address without control characters; none: whoever the provider is set up with.
    pub sender: Option<String>,
    /// The code itself, for providers that fill templates of their own; none: a plain text.
    pub code: Option<Code>,
    /// The sender's name as people see it: one line without control characters, possibly empty.
    pub app: String,
    /// BCP 47 tag of the words chosen, which may be wider than the one asked for.
    pub locale: Cow<'static, str>,
    /// The code's life in whole minutes, as people are told; 0 without one.
    pub minutes: u32,
    /// When the code dies; none: a plain text, which does not age.
    pub expires_at: Option<Timestamp>,
    /// The words.
    pub content: Content,
    /// The same words, cut for a provider that paces them; for calls only.
    pub voice: Option<VoiceScript>,
    /// What the sandbox makes of it. Not for providers that reach people.
    pub rehearsal: Option<Rehearsal>,
}

/// The words of a message.
pub enum Content {
    /// For the e-mail channel.
    Email {
        /// Without the code, which would show on locked screens.
        subject: String,
        /// The plain-text twin.
        text: String,
        /// A whole HTML document.
        html: String,
    },
    /// For every channel that goes to a phone.
    Phone {
        /// What is shown or read out.
        text: String,
    },
}

impl Content {
    /// The plain text, whatever the channel.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Email { text, .. } | Self::Phone { text } => text,
        }
    }
}

impl Rendered {
    /// What to hand over wherever a provider echoes something in its receipts.
    #[must_use]
    pub const fn reference(&self) -> Reference {
        self.errand.reference(self.id)
    }

    /// The whole seconds that are left to the code at `now`, for vendors that drop what has waited for too long; brought within `taken`, which
    /// is what the vendor takes. None: there is no end.
    #[must_use]
    pub fn seconds_left(&self, now: Timestamp, taken: RangeInclusive<u64>) -> Option<u64> {
        self.expires_at.map(|end| end.since(now).as_secs().clamp(*taken.start(), *taken.end()))
    }

    /// The plain text, whatever the channel.
    #[must_use]
    pub fn text(&self) -> &str {
        self.content.text()
    }

    /// The digits as a voice says them, one by one: `4, 8, 2`; none without a code.
    #[must_use]
    pub fn spoken(&self) -> Option<String> {
        self.code.as_ref().map(spoken)
    }
}

/// Puts a comma between digits so that speech synthesis pauses and does not read a number.
pub(crate) fn spoken(code: &Code) -> String {
    let mut paced = String::with_capacity(code.expose().len() * 3);
    for digit in code.expose().chars() {
        if !paced.is_empty() {
            paced.push_str(", ");
        }
        paced.push(digit);
    }
    paced
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rendered")
            .field("id", &format_args!("{}", self.id.shown(self.mode)))
            .field("channel", &self.channel)
            .field("recipient", &self.recipient)
            .finish_non_exhaustive()
    }
}

/// How one try at one provider ended, told by what is certain about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TryOutcome {
    /// The provider took the message. It does not say that it arrived.
    Accepted {
        /// Its name for the message, when it gave one.
        provider_id: Option<String>,
    },
    /// Nothing went out and nothing ever will to this recipient: no other provider is tried.
    Refused(Diagnostic),
    /// Nothing went out; the provider asks to slow down.
    Throttled(Diagnostic),
    /// Nothing went out; the provider could not be reached, or broke off before the message was handed over.
    Unreachable(Diagnostic),
    /// Nothing went out; credentials or set-up are wrong and an operator must act.
    Misconfigured(Diagnostic),
    /// The provider answered that it did not take the message, without a reason that is known to be final.
    Unknown(Diagnostic),
    /// The message had begun to leave and no answer came: it may have gone out.
    Unclear(Diagnostic),
}

impl TryOutcome {
    /// The word for a try that went well; every other one is a failure.
    pub const ACCEPTED: &'static str = "accepted";

    /// The word used in logs and metrics.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => Self::ACCEPTED,
            Self::Refused(_) => "refused",
            Self::Throttled(_) => "throttled",
            Self::Unreachable(_) => "unreachable",
            Self::Misconfigured(_) => "misconfigured",
            Self::Unknown(_) => "unknown",
            Self::Unclear(_) => "unclear",
        }
    }

    /// What is known beyond the label.
    #[must_use]
    pub const fn diagnostic(&self) -> Option<Diagnostic> {
        match self {
            Self::Accepted { .. } => None,
            Self::Refused(diagnostic)
            | Self::Throttled(diagnostic)
            | Self::Unreachable(diagnostic)
            | Self::Misconfigured(diagnostic)
            | Self::Unknown(diagnostic)
            | Self::Unclear(diagnostic) => Some(*diagnostic),
        }
    }
}

/// What a log may say about a try. It cannot hold a provider's text, which may repeat the recipient or the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Diagnostic {
    /// An HTTP status.
    Http(u16),
    /// An SMTP reply.
    Smtp {
        /// The three digits.
        reply: u16,
        /// RFC 3463 status, when the server gave one.
        enhanced: Option<EnhancedCode>,
    },
    /// The `command_status` of an SMPP answer.
    Smpp(u32),
    /// Our own words.
    Note(&'static str),
}

/// An RFC 3463 status such as `5.1.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnhancedCode {
    /// 2, 4 or 5.
    pub class: u8,
    /// What it is about: 1 addressing, 2 mailbox, 7 security.
    pub subject: u16,
    /// What exactly.
    pub detail: u16,
}

impl fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(status) => write!(f, "HTTP {status}"),
            Self::Smtp { reply, enhanced: None } => write!(f, "SMTP {reply}"),
            Self::Smtp { reply, enhanced: Some(enhanced) } => write!(f, "SMTP {reply} {enhanced}"),
            Self::Smpp(status) => write!(f, "SMPP 0x{status:08X}"),
            Self::Note(note) => f.write_str(note),
        }
    }
}

/// Why a provider is not ready, and what an operator can do. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// No connection.
    #[error("cannot connect to {address}: check host, port and firewall")]
    Unreachable {
        /// `host:port`.
        address: String,
    },
    /// A connection, but no trust.
    #[error("TLS with {address} failed: check `tls`, the host name in the certificate, and `ca_file` for a private authority")]
    Tls {
        /// `host:port`.
        address: String,
    },
    /// The server knows no such user.
    #[error("{address} refused the credentials: check those of its section")]
    Credentials {
        /// `host:port`.
        address: String,
    },
    /// The server cannot do what the set-up asks for.
    #[error("{address} does not offer what is configured: {what}")]
    Unsupported {
        /// `host:port`.
        address: String,
        /// What is missing.
        what: &'static str,
    },
    /// The server answered, but not kindly.
    #[error("{address} answered {diagnostic}: see the provider's own log")]
    Answer {
        /// `host:port`.
        address: String,
        /// What it answered.
        diagnostic: Diagnostic,
    },
    /// No answer within the time of one try.
    #[error("no answer in time: check host and port, or raise delivery.try_timeout_seconds")]
    Silent,
    /// The check itself failed; a defect.
    #[error("the check broke off: see the log")]
    Broken,
}
