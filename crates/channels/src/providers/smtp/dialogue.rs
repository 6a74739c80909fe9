//! The talk with a mail server, over lines that are kept for the next mail.
//!
//! `lettre` speaks the protocol; its own pool is not used. It takes a line back from a future that was dropped half-way and gives
//! it to the next mail, which then reads the answers to the last one; and it does not tell how far a failed talk had come, which
//! is what makes a failure certain or unclear.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::config::{Protection, Settings};

/// A kept line older than this is not used again: servers hang up on idle ones after a minute or more.
const IDLE: Duration = Duration::from_secs(30);

/// How long a leave-taking may last, behind everybody's back.
const GOODBYE: Duration = Duration::from_secs(2);

/// How far a talk had come when it failed. Up to `Recipient` nothing of the message has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Connect,
    Login,
    Sender,
    Recipient,
    Content,
}

/// Why a talk failed.
#[derive(Debug)]
pub(super) enum Cause {
    /// A negative reply, a broken line, or an answer that is not SMTP.
    Smtp(Error),
    /// The server lacks what the set-up or this recipient needs.
    Missing(&'static str),
    /// The server's replies do not belong to what it was told.
    OutOfStep,
    /// Time ran out before the message was handed over.
    Slow,
}

#[derive(Debug)]
pub(super) struct Failure {
    pub(super) stage: Stage,
    pub(super) cause: Cause,
}

impl Failure {
    fn new(stage: Stage, cause: Error) -> Self {
        Self { stage, cause: Cause::Smtp(cause) }
    }

    /// The line is gone, or its server is leaving; another line may do better.
    fn is_stale_line(&self) -> bool {
        match &self.cause {
            Cause::Smtp(error) => error.status().is_none_or(|code| u16::from(code) == 421),
            Cause::OutOfStep => true,
            Cause::Missing(_) | Cause::Slow => false,
        }
    }
}

/// The lines to one server.
pub(super) struct Lines {
    settings: Settings,
    patience: Duration,
    free: Semaphore,
    kept: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl Lines {
    pub(super) fn new(settings: Settings, patience: Duration) -> Self {
        let free = Semaphore::new(usize::from(settings.pool_size));
        Self { settings, patience, free, kept: Mutex::default() }
    }

    /// `host:port`, for people.
    pub(super) fn address(&self) -> String {
        format!("{}:{}", self.settings.host, self.settings.port)
    }

    /// One mail to one server, once. Dropping the future drops its line.
    pub(super) async fn send(&self, envelope: &Envelope, mail: &[u8]) -> Result<(), Failure> {
        let slow = |_| Failure { stage: Stage::Connect, cause: Cause::Slow };
        let until_content = async {
            let permit = self.free.acquire().await;
            (permit, self.open(envelope, mail.is_ascii()).await)
        };
        let (_permit, opened) = timeout(self.patience, until_content).await.map_err(slow)?;
        let mut line = opened?;
        match line.message(mail).await {
            Ok(_) => {
                self.keep(line);
                Ok(())
            }
            Err(error) => {
                if error.status().is_some() {
                    leave(line);
                }
                Err(Failure::new(Stage::Content, error))
            }
        }
    }

    /// Connects, protects the line, logs in and leaves.
    pub(super) async fn check(&self) -> Result<(), Failure> {
        self.connect().await.map(leave)
    }

    /// A line on which the server waits for the content. A kept line may have died unseen; as nothing of the message has left
    /// then, the next one is taken.
    async fn open(&self, envelope: &Envelope, is_ascii: bool) -> Result<AsyncSmtpConnection, Failure> {
        while let Some(mut line) = self.take() {
            match address(&mut line, envelope, is_ascii).await {
                Ok(()) => return Ok(line),
                Err(failure) if failure.is_stale_line() => {}
                Err(failure) => {
                    leave(line);
                    return Err(failure);
                }
            }
        }
        let mut line = self.connect().await?;
        match address(&mut line, envelope, is_ascii).await {
            Ok(()) => Ok(line),
            Err(failure) => {
                leave(line);
                Err(failure)
            }
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Failure> {
        let Settings { host, port, tls, hello, credentials, .. } = &self.settings;
        let refused = |error| Failure::new(Stage::Connect, error);
        let first = match tls {
            Protection::Implicit(parameters) => Some(parameters.clone()),
            Protection::Starttls(_) | Protection::None => None,
        };
        let to = (host.as_str(), *port);
        let mut line = AsyncSmtpConnection::connect_tokio1(to, None, hello, first, None).await.map_err(refused)?;
        if let Protection::Starttls(parameters) = tls {
            if !line.can_starttls() {
                leave(line);
                return Err(Failure { stage: Stage::Connect, cause: Cause::Missing("STARTTLS") });
            }
            line.starttls(parameters.clone(), hello).await.map_err(refused)?;
        }
        if let Some(credentials) = credentials {
            const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];
            if line.server_info().get_auth_mechanism(&MECHANISMS).is_none() {
                leave(line);
                return Err(Failure { stage: Stage::Login, cause: Cause::Missing("AUTH PLAIN or LOGIN") });
            }
            line.auth(&MECHANISMS, credentials).await.map_err(|error| Failure::new(Stage::Login, error))?;
        }
        Ok(line)
    }

    fn take(&self) -> Option<AsyncSmtpConnection> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((line, since)) = kept.pop() {
            if since.elapsed() <= IDLE {
                return Some(line);
            }
            leave(line);
        }
        None
    }

    fn keep(&self, line: AsyncSmtpConnection) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push((line, Instant::now()));
    }
}

/// Everything up to the server's word to go ahead with the content.
async fn address(line: &mut AsyncSmtpConnection, envelope: &Envelope, is_ascii: bool) -> Result<(), Failure> {
    let mut parameters = Vec::new();
    let addresses = envelope.to().iter().chain(envelope.from());
    if addresses.into_iter().any(|address| !address.to_string().is_ascii()) {
        if !line.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(Failure { stage: Stage::Recipient, cause: Cause::Missing("SMTPUTF8") });
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !is_ascii {
        if !line.server_info().supports_feature(Extension::EightBitMime) {
            return Err(Failure { stage: Stage::Recipient, cause: Cause::Missing("8BITMIME") });
        }
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let from = Mail::new(envelope.from().cloned(), parameters);
    line.command(from).await.map_err(|error| Failure::new(Stage::Sender, error))?;
    for to in envelope.to() {
        let to = Rcpt::new(to.clone(), Vec::new());
        line.command(to).await.map_err(|error| Failure::new(Stage::Recipient, error))?;
    }
    let word = line.command(Data).await.map_err(|error| Failure::new(Stage::Recipient, error))?;
    // Any other reply answers something else: a server that once said too much is one reply behind ever after.
    if word.has_code(354) { Ok(()) } else { Err(Failure { stage: Stage::Recipient, cause: Cause::OutOfStep }) }
}

/// Says QUIT without anybody waiting for the answer.
fn leave(mut line: AsyncSmtpConnection) {
    tokio::spawn(async move {
        let _ = timeout(GOODBYE, line.quit()).await;
    });
}
