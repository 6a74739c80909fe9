//! What callers were told against what is found afterwards: in the store, the log, the records, and with those who were written to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use countersign_model::{Aggregate, KeyKind};
use countersign_records::{Records, SessionRecord, SessionState};
use countersign_session::store::SessionStore;
use serde_json::json;
use tokio::task::JoinSet;

use crate::{Client, Fact, Process, ProviderDouble, Receiver, Reply, Site, Told, poll, within_patience};

/// Sessions that are asked about at a time.
const AT_ONCE: usize = 16;

/// When it comes again where it is told to come again later.
const LATER: Duration = Duration::from_millis(50);

/// What was told about the sessions that are looked for.
#[derive(Debug)]
pub struct Audit<'a> {
    site: &'a Site,
    callers: BTreeMap<KeyKind, Client>,
    sent: BTreeMap<String, Fact>,
    /// Acknowledged; at the end, all of them.
    verified: BTreeSet<String>,
    unsure: BTreeSet<String>,
}

/// Sessions of which something is lost.
#[derive(Debug, Default)]
pub struct Lost {
    /// The store knows nothing of them.
    pub sessions: BTreeSet<String>,
    /// It does not know that their message was taken.
    pub messages: BTreeSet<String>,
    /// It does not know that they were verified.
    pub verifications: BTreeSet<String>,
}

impl Lost {
    /// All of them.
    pub fn all(&self) -> BTreeSet<String> {
        [&self.sessions, &self.messages, &self.verifications].into_iter().flatten().cloned().collect()
    }
}

impl<'a> Audit<'a> {
    /// Asks these nodes about what callers were told.
    pub fn new<'n>(site: &'a Site, nodes: impl IntoIterator<Item = &'n Process>, told: &Told) -> Self {
        let nodes: Vec<_> = nodes.into_iter().collect();
        let callers = [KeyKind::Test, KeyKind::Live].map(|kind| (kind, site.caller(kind, nodes.iter().copied())));
        let verified: BTreeSet<_> = told.verified.iter().map(|fact| fact.id().to_owned()).collect();
        assert_eq!(verified.len(), told.verified.len(), "a session was verified twice");
        Self {
            site,
            callers: callers.into(),
            sent: told.sent.iter().map(|fact| (fact.id().to_owned(), fact.clone())).collect(),
            verified,
            unsure: told.unsure.clone(),
        }
    }

    /// Looks for what was told another time too.
    pub fn also(&mut self, told: &Told) {
        self.sent.extend(told.sent.iter().map(|fact| (fact.id().to_owned(), fact.clone())));
        self.verified.extend(told.verified.iter().map(|fact| fact.id().to_owned()));
        self.unsure.extend(told.unsure.iter().cloned());
    }

    /// Leaves out sessions that may be gone.
    pub fn forgive(&mut self, sessions: &BTreeSet<String>) {
        self.sent.retain(|session, _| !sessions.contains(session));
        self.verified.retain(|session| !sessions.contains(session));
    }

    /// What was acknowledged and is not in the store.
    pub async fn lost(&self) -> Lost {
        let mut lost = Lost::default();
        for (session, reply, _) in self.each("/api/v1/otp/status", |fact| json!({"session_token": fact.sent.token})).await {
            let channel = if self.sent[&session].live { "sms" } else { "email" };
            if reply.status == 401 {
                lost.sessions.insert(session);
            } else if reply.assert(200).at(&format!("$.channels.{channel}.status")) != "sent" {
                lost.messages.insert(session);
            } else if reply.text("$.status") != "verified" && self.verified.contains(&session) {
                lost.verifications.insert(session);
            }
        }
        lost
    }

    /// The store has every session, verified where that was acknowledged. Then every one is verified that is not yet: each code is right once.
    pub async fn store(&mut self) {
        let lost = self.lost().await;
        assert!(lost.all().is_empty(), "{lost:?}");
        let guess = |fact: &Fact| json!({"session_token": fact.sent.token, "code": fact.code});
        for (session, reply, is_unsure) in self.each("/api/v1/otp/verify", guess).await {
            if self.verified.contains(&session) {
                reply.error(409, "already_verified");
            } else if !(reply.status == 409 && (is_unsure || self.unsure.contains(&session))) {
                reply.assert(200).json("$.verified", true);
            }
        }
        self.verified = self.sent.keys().cloned().collect();
    }

    /// The log tells each session's story once and without a gap. After [`store`](Self::store).
    pub async fn log(&self) {
        let store = self.site.store();
        let mut stories: BTreeMap<String, Vec<(u32, &'static str)>> = BTreeMap::new();
        let mut after = 0;
        loop {
            let entries = store.read_log(self.site.tenant.partition(), after, 1_000).await.unwrap().entries;
            let Some(last) = entries.last() else { break };
            after = last.sequence;
            for entry in entries {
                let Aggregate::Session(session) = entry.of else { continue };
                let events = entry.events.iter().map(|event| (event.number, event.kind.name()));
                stories.entry(session.to_string()).or_default().extend(events);
            }
        }
        for session in self.sent.keys() {
            assert!(stories.contains_key(session), "the log does not know {session}");
        }
        for (session, events) in &stories {
            let numbers: Vec<_> = events.iter().map(|(number, _)| *number).collect();
            assert_eq!(numbers, (1..=u32::try_from(events.len()).unwrap()).collect::<Vec<_>>(), "{session}: {events:?}");
            let count = |name: &str| events.iter().filter(|(_, kind)| *kind == name).count();
            assert_eq!(count("session.created"), 1, "{session}: {events:?}");
            assert!(count("session.verified") <= 1, "{session}: {events:?}");
            assert!(count("message.sent") <= 1, "{session}: {events:?}");
            if self.sent.contains_key(session) {
                let told = (count("message.sent"), count("session.verified"));
                assert_eq!(told, (1, usize::from(self.verified.contains(session))), "{session}: {events:?}");
            }
        }
    }

    /// The records come to know everything, and nothing was set aside on the way. After [`store`](Self::store).
    pub async fn records(&self) {
        let records = self.site.records().await;
        let ids: Vec<_> = self.sent.keys().map(|session| session.parse().unwrap()).collect();
        let sessions = poll("the records to know all", async || {
            let found = records.sessions().load(&ids).await.map_err(|error| error.to_string())?;
            let missing = ids.len() - found.iter().filter(|it| self.is_told(it)).count();
            if missing == 0 { Ok(found) } else { Err(format!("{missing} of {} are missing or behind", ids.len())) }
        })
        .await;
        let messages: Vec<_> = sessions.iter().flat_map(|it| it.channels.iter().flat_map(|it| it.messages.clone())).collect();
        assert_eq!(messages.len(), sessions.len(), "one message a session");
        let messages = records.messages().load(&messages).await.unwrap();
        let unsent: Vec<_> = messages.iter().filter(|it| it.status != countersign_model::MessageStatus::Sent).collect();
        assert!(unsent.is_empty() && messages.len() == sessions.len(), "{unsent:#?}");
        nothing_set_aside(&records).await;
        records.close().await;
    }

    fn is_told(&self, session: &SessionRecord) -> bool {
        let is_sent = session.history.len() > 8;
        is_sent && (!self.verified.contains(&session.id.to_string()) || session.status == SessionState::Verified)
    }

    /// Whoever subscribed to `session.verified` heard of each verification, under one id. After [`store`](Self::store).
    pub async fn webhooks(&self, receiver: &Receiver) {
        poll("every webhook", async || {
            let heard: BTreeSet<_> = receiver.posts().iter().map(|post| post.session().to_owned()).collect();
            let missing = self.verified.difference(&heard).count();
            if missing == 0 { Ok(()) } else { Err(format!("{missing} of {} sessions are missing", self.verified.len())) }
        })
        .await;
        let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for post in receiver.posts() {
            assert_eq!(post.event(), "session.verified");
            ids.entry(post.session().to_owned()).or_default().insert(post.id);
        }
        for (session, ids) in ids {
            assert_eq!(ids.len(), 1, "{session} was told of under {ids:?}");
        }
    }

    /// Nobody was sent a message twice, and everybody who was said to have been sent one was.
    #[track_caller]
    pub fn messages(&self, double: &ProviderDouble) {
        let mut sent: BTreeMap<String, usize> = BTreeMap::new();
        for request in double.requests() {
            *sent.entry(request.field("to")).or_default() += 1;
        }
        let twice: Vec<_> = sent.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "sent more than once: {twice:?}");
        for fact in self.sent.values().filter(|fact| fact.live) {
            assert!(sent.contains_key(&fact.to), "nothing went to {}", fact.to);
        }
    }

    /// Calls a path for each session, some at a time: once, and again for who is told to come again later, since of a call before that nobody
    /// knows whether it was taken. Which those are is told with the answers.
    async fn each(&self, path: &'static str, body: impl Fn(&Fact) -> serde_json::Value) -> Vec<(String, Reply, bool)> {
        let (mut running, mut replies) = (JoinSet::new(), Vec::new());
        for fact in self.sent.values() {
            if running.len() == AT_ONCE {
                replies.extend(running.join_next().await.map(Result::unwrap));
            }
            let caller = self.callers[&if fact.live { KeyKind::Live } else { KeyKind::Test }].clone();
            let (id, body) = (fact.id().to_owned(), body(fact));
            running.spawn(async move {
                let mut is_unsure = false;
                let answered = async {
                    loop {
                        let reply = caller.post(path, &body).await;
                        if reply.status != 503 {
                            return reply;
                        }
                        is_unsure = true;
                        tokio::time::sleep(LATER).await;
                    }
                };
                let reply = within_patience("an answer about a session", answered).await;
                (id, reply, is_unsure)
            });
        }
        replies.extend(running.join_all().await);
        replies
    }
}

/// No entry of the log was set aside, and no balance differs.
async fn nothing_set_aside(records: &Records) {
    assert_eq!(records.poison().list(10).await.unwrap(), []);
    assert_eq!(records.wallet_differences().list(true, 10).await.unwrap(), []);
}
