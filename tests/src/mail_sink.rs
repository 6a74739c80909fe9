//! A mail server for people who do not exist: speaks SMTP, keeps what it takes, misbehaves when told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use mail_parser::MessageParser;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::smtp;
use crate::within_patience;

/// A mail as it came.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// Header and body, dots unstuffed, line ends as sent.
    pub data: Vec<u8>,
}

impl Mail {
    /// The mail as mail software reads it.
    #[track_caller]
    pub fn parsed(&self) -> mail_parser::Message<'_> {
        let parsed = MessageParser::default().parse(&self.data);
        parsed.unwrap_or_else(|| panic!("no mail: {:?}", String::from_utf8_lossy(&self.data)))
    }

    /// The code that a person would read out of the plain text.
    #[track_caller]
    pub fn code(&self) -> String {
        let mail = self.parsed();
        let text = mail.body_text(0).unwrap_or_else(|| panic!("no plain text: {:?}", String::from_utf8_lossy(&self.data)));
        first_code(&text)
    }
}

/// The first run of four to eight digits.
#[track_caller]
pub(crate) fn first_code(text: &str) -> String {
    let mut runs = text.split(|c: char| !c.is_ascii_digit());
    let code = runs.find(|run| (4..=8).contains(&run.len()));
    code.unwrap_or_else(|| panic!("no code in {text:?}")).to_owned()
}

/// What the server does with a transaction.
#[derive(Debug, Clone, Default)]
pub enum Act {
    /// Takes the mail.
    #[default]
    Take,
    /// Answers RCPT with this line.
    RefuseRecipient(&'static str),
    /// Takes the mail's bytes and answers with this line.
    RefuseContent(&'static str),
    /// Stops answering at DATA.
    HangBeforeData,
    /// Takes the mail, keeps it, and never says so.
    HangAfterData,
    /// Takes the mail, keeps it, and closes the line without a word.
    CutAfterData,
}

#[derive(Debug)]
pub(crate) struct Shared {
    acts: Mutex<VecDeque<Act>>,
    mails: watch::Sender<Vec<Mail>>,
    transactions: watch::Sender<usize>,
}

impl Shared {
    /// A transaction begins: what is to become of it.
    pub(crate) fn begin(&self) -> Act {
        self.transactions.send_modify(|count| *count += 1);
        self.acts.lock().unwrap().pop_front().unwrap_or_default()
    }

    pub(crate) fn keep(&self, mail: Mail) {
        self.mails.send_modify(|mails| mails.push(mail));
    }
}

/// A mail server on a free port.
#[derive(Debug)]
pub struct MailSink {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

impl MailSink {
    /// Listens, and takes every mail until told otherwise.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (mails, transactions) = (watch::Sender::new(Vec::new()), watch::Sender::new(0));
        let shared = Arc::new(Shared { acts: Mutex::default(), mails, transactions });
        let serving = Arc::clone(&shared);
        let listening = tokio::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                tokio::spawn(smtp::serve(line, Arc::clone(&serving)));
            }
        });
        Self { address, shared, listening }
    }

    /// Its port on the loopback.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// What to do with the next transaction that nothing is planned for yet.
    pub fn plan(&self, act: Act) -> &Self {
        self.shared.acts.lock().unwrap().push_back(act);
        self
    }

    /// What has come so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.shared.mails.borrow().clone()
    }

    /// How many transactions were begun so far.
    pub fn transactions(&self) -> usize {
        *self.shared.transactions.borrow()
    }

    /// Waits for the `count`th mail.
    pub async fn mail(&self, count: usize) -> Mail {
        let mut mails = self.shared.mails.subscribe();
        within_patience("mail", mails.wait_for(|mails| mails.len() >= count)).await.unwrap()[count - 1].clone()
    }

    /// Waits for the newest mail to one address.
    pub async fn mail_to(&self, address: &str) -> Mail {
        let mut mails = self.shared.mails.subscribe();
        let is_for = |mail: &&Mail| mail.to.iter().any(|to| to == address);
        let come = mails.wait_for(|mails| mails.iter().any(|mail| is_for(&mail)));
        let mails = within_patience("mail to an address", come).await.unwrap();
        mails.iter().rev().find(is_for).unwrap().clone()
    }
}

impl Drop for MailSink {
    fn drop(&mut self) {
        self.listening.abort();
    }
}
