//! Callers who send and verify all the time, and note to the letter what they were told.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use countersign_model::{Clock, KeyKind, SystemClock, Timestamp};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::{Ask, Client, Process, Reply, Sent, Site, email, sms, within_patience, wrong_code};

/// What a caller who was told to come again later waits. Less than he was told, so that much is asked while something is away.
const MANNERS: Duration = Duration::from_millis(50);

const SEND: &str = "/api/v1/otp/send";
const VERIFY: &str = "/api/v1/otp/verify";

/// Nobody is written to by two sends.
static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// The code that live callers choose: they do not read the message.
const CHOSEN: &str = "482913";

/// A session that was acknowledged.
#[derive(Debug, Clone)]
pub struct Fact {
    /// What the send was answered.
    pub sent: Sent,
    /// Its code.
    pub code: String,
    /// To whom it went.
    pub to: String,
    /// Whether it was opened with the live key.
    pub live: bool,
    /// When the acknowledgement came in.
    pub at: Timestamp,
}

impl Fact {
    /// The session's id.
    pub fn id(&self) -> &str {
        &self.sent.session_id
    }
}

/// A call that was told to come again later.
#[derive(Debug, Clone)]
pub struct Refused {
    /// The path.
    pub path: &'static str,
    /// How long the answer took.
    pub took: Duration,
    /// The answer.
    pub reply: Reply,
}

/// All that callers were told.
#[derive(Debug, Default)]
pub struct Told {
    /// Sends with a 200.
    pub sent: Vec<Fact>,
    /// Verifications with a 200.
    pub verified: Vec<Fact>,
    /// Verifications that were sent and got no answer that says what became of them: they may or may not have been taken.
    pub unsure: BTreeSet<String>,
    /// Answers with 503.
    pub refused: Vec<Refused>,
    /// Calls whose line broke before an answer.
    pub broken: usize,
    /// Anything else.
    pub odd: Vec<Reply>,
}

/// Who calls, and how. Each calls the nodes in turn, and one that broke a line never again.
#[derive(Debug, Clone)]
pub struct Callers {
    nodes: Vec<Keys>,
    count: usize,
    is_live: bool,
    guesses_wrong: bool,
}

/// One node, seen with both keys.
#[derive(Debug, Clone)]
struct Keys {
    test: Client,
    live: Client,
}

/// A load that runs.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    progress: watch::Receiver<Progress>,
    running: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    told: Mutex<Told>,
    stop: AtomicBool,
    progress: watch::Sender<Progress>,
}

/// How far it has come.
#[derive(Debug, Default)]
struct Progress {
    /// Verifications acknowledged.
    verified: usize,
    /// Calls that were told to come again later.
    refused: usize,
    /// The verifications among those.
    unconfirmed: usize,
    /// Calls that came to an end, whichever, of each caller.
    ended: Vec<usize>,
}

impl Callers {
    /// So many callers, half of them with the live key, whose sends are text messages.
    pub fn of<'a>(site: &Site, nodes: impl IntoIterator<Item = &'a Process>, count: usize) -> Self {
        let keys = |node| Keys { test: site.caller(KeyKind::Test, [node]), live: site.caller(KeyKind::Live, [node]) };
        Self { nodes: nodes.into_iter().map(keys).collect(), count, is_live: true, guesses_wrong: false }
    }

    /// Nobody has the live key.
    #[must_use]
    pub const fn in_the_sandbox(mut self) -> Self {
        self.is_live = false;
        self
    }

    /// A wrong guess stands before each right one.
    #[must_use]
    pub const fn guessing_wrong(mut self) -> Self {
        self.guesses_wrong = true;
        self
    }

    /// Lets them call until they are told to stop.
    pub fn start(self) -> Load {
        let (tell, progress) = watch::channel(Progress { ended: vec![0; self.count], ..Progress::default() });
        let shared = Arc::new(Shared { told: Mutex::default(), stop: AtomicBool::new(false), progress: tell });
        let mut running = JoinSet::new();
        for place in 0..self.count {
            running.spawn(Caller { shared: Arc::clone(&shared), callers: self.clone(), place, turn: place }.call());
        }
        Load { shared, progress, running }
    }
}

impl Load {
    /// Waits until so many more verifications were acknowledged.
    pub async fn verifications(&mut self, more: usize) {
        let wanted = self.progress.borrow().verified + more;
        let come = self.progress.wait_for(|progress| progress.verified >= wanted);
        within_patience("verifications", come).await.unwrap();
    }

    /// Waits until so many more calls were told to come again later.
    pub async fn refusals(&mut self, more: usize) {
        let wanted = self.progress.borrow().refused + more;
        let come = self.progress.wait_for(|progress| progress.refused >= wanted);
        within_patience("refusals", come).await.unwrap();
    }

    /// Waits until so many more verifications were told to come again later.
    pub async fn unconfirmed(&mut self, more: usize) {
        let wanted = self.progress.borrow().unconfirmed + more;
        let come = self.progress.wait_for(|progress| progress.unconfirmed >= wanted);
        within_patience("refused verifications", come).await.unwrap();
    }

    /// Waits until every call that is under way now has come to its end.
    pub async fn under_way(&mut self) {
        let before = self.progress.borrow().ended.clone();
        let come = self.progress.wait_for(|progress| progress.ended.iter().zip(&before).all(|(ended, before)| ended > before));
        within_patience("the calls that are under way", come).await.unwrap();
    }

    /// The sessions acknowledged since then.
    pub fn sent_since(&self, moment: Timestamp) -> Vec<String> {
        let told = self.shared.told.lock().unwrap();
        told.sent.iter().rev().take_while(|fact| fact.at >= moment).map(|fact| fact.id().to_owned()).collect()
    }

    /// Lets every caller finish what he is at, and gives what they were told.
    pub async fn stop(mut self) -> Told {
        self.shared.stop.store(true, Ordering::SeqCst);
        while let Some(ended) = within_patience("the last answers", self.running.join_next()).await {
            ended.unwrap();
        }
        std::mem::take(&mut *self.shared.told.lock().unwrap())
    }
}

/// One caller.
struct Caller {
    shared: Arc<Shared>,
    callers: Callers,
    /// Which of them he is.
    place: usize,
    turn: usize,
}

impl Caller {
    async fn call(mut self) {
        while !self.shared.stop.load(Ordering::SeqCst) {
            let number = NUMBER.fetch_add(1, Ordering::SeqCst);
            // The other half stays unverified.
            if let Some(fact) = self.send(number).await
                && number % 4 < 2
            {
                self.verify(&fact).await;
            }
        }
    }

    async fn send(&mut self, number: usize) -> Option<Fact> {
        let live = self.callers.is_live && number.is_multiple_of(2);
        let (to, ask) = if live {
            let to = format!("+1202{:07}", 5_550_000 + number);
            (to.clone(), sms(&to).set("code", CHOSEN))
        } else {
            let to = format!("ann-{number}@example.com");
            (to.clone(), email(&to))
        };
        let sent = Sent::read(self.ask(live, SEND, &ask).await?);
        let code = if live { CHOSEN } else { sent.code("email") }.to_owned();
        let fact = Fact { sent, code, to, live, at: SystemClock.now() };
        self.shared.told.lock().unwrap().sent.push(fact.clone());
        Some(fact)
    }

    async fn verify(&mut self, fact: &Fact) {
        let guess = |code: &str| Ask::of(json!({"session_token": fact.sent.token, "code": code}));
        if self.callers.guesses_wrong {
            let Some(reply) = self.ask(fact.live, VERIFY, &guess(&wrong_code(&[&fact.code]))).await else { return };
            reply.assert(200).json("$.verified", false).json("$.attempts_remaining", 2);
        }
        let Some(reply) = self.ask(fact.live, VERIFY, &guess(&fact.code)).await else {
            self.shared.told.lock().unwrap().unsure.insert(fact.id().to_owned());
            return;
        };
        reply.assert(200).json("$.verified", true).json("$.session_verified", true);
        self.shared.told.lock().unwrap().verified.push(Fact { at: SystemClock.now(), ..fact.clone() });
        self.shared.progress.send_modify(|progress| progress.verified += 1);
    }

    /// The answer, if it is a 200; anything else is noted.
    async fn ask(&mut self, live: bool, path: &'static str, ask: &Ask) -> Option<Reply> {
        let asked = Instant::now();
        self.turn += 1;
        let turn = self.turn % self.callers.nodes.len();
        let keys = &self.callers.nodes[turn];
        let client = if live { &keys.live } else { &keys.test };
        let reply = client.try_call(path, ask.body()).await;
        self.shared.progress.send_modify(|progress| progress.ended[self.place] += 1);
        let Some(reply) = reply else {
            self.shared.told.lock().unwrap().broken += 1;
            if self.callers.nodes.len() > 1 {
                self.callers.nodes.remove(turn);
            }
            return None;
        };
        match reply.status {
            200 => return Some(reply),
            503 => {
                self.shared.told.lock().unwrap().refused.push(Refused { path, took: asked.elapsed(), reply });
                self.shared.progress.send_modify(|progress| {
                    progress.refused += 1;
                    progress.unconfirmed += usize::from(path == VERIFY);
                });
                tokio::time::sleep(MANNERS).await;
            }
            _ => self.shared.told.lock().unwrap().odd.push(reply),
        }
        None
    }
}

impl Told {
    /// Nothing was answered but 200 and 503 with a word about when to come again, and no refusal took longer than `deadline`.
    #[track_caller]
    pub fn assert_manners(&self, deadline: Duration) {
        assert!(self.odd.is_empty(), "{:#?}", self.odd);
        for refused in &self.refused {
            refused.reply.error(503, "unavailable");
            assert!(refused.reply.number_in("retry-after") >= 1, "{refused:?}");
            assert!(refused.took <= deadline, "it took {:?}: {refused:?}", refused.took);
        }
    }

    /// In a few words.
    pub fn sum(&self) -> String {
        let slowest = self.refused.iter().map(|refused| refused.took).max().unwrap_or_default();
        format!(
            "{} sends and {} verifications acknowledged, {} refused (slowest {slowest:?}), {} without an answer",
            self.sent.len(),
            self.verified.len(),
            self.refused.len(),
            self.broken,
        )
    }
}
