//! A bind that stands: one task that writes, reads and keeps the line awake until either side ends it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::lane::Stream;
use super::receipt::Desk;
use super::wire::{self, Incoming};

/// What came of a request that was brought to a line. Nothing at all, a dropped sender, after it had begun to leave.
#[derive(Debug)]
pub(super) enum Answer {
    /// The centre's answer.
    Reply {
        /// Of which kind.
        id: u32,
        /// 0: yes.
        status: u32,
        /// Not looked at.
        body: Vec<u8>,
    },
    /// The line ended before a byte of it was written.
    Unsaid,
}

/// A request without an answer for so long is given up, and its place in the window with it.
const UNANSWERED: Duration = Duration::from_secs(60);

/// How long an answer to `enquire_link`, a write and a leave-taking may last.
const PROBE: Duration = Duration::from_secs(10);
const WRITE: Duration = Duration::from_secs(10);
const GOODBYE: Duration = Duration::from_secs(2);

/// PDUs that may wait to be written, beside those that the window counts.
const QUEUE: usize = 64;

/// The handle of a line. When it goes, the line takes its leave.
pub(super) struct Line {
    out: mpsc::Sender<Out>,
    window: Arc<Semaphore>,
    shared: Arc<Shared>,
}

/// A PDU to write.
pub(super) struct Out {
    frame: Vec<u8>,
    /// Under which number somebody waits for its answer.
    awaited: Option<u32>,
    /// Nothing is written after it.
    is_last: bool,
}

impl Out {
    pub(super) const fn answer(frame: Vec<u8>) -> Self {
        Self { frame, awaited: None, is_last: false }
    }
}

struct Shared {
    /// None: the line has ended.
    waiting: Mutex<Option<HashMap<u32, Waiter>>>,
    sequence: AtomicU32,
    heard: Mutex<Instant>,
    ended: watch::Sender<bool>,
    window: Arc<Semaphore>,
}

struct Waiter {
    answer: oneshot::Sender<Answer>,
    since: Instant,
    has_begun: bool,
    /// Its place in the window, given back with the answer.
    _place: Option<OwnedSemaphorePermit>,
}

/// A place in the window and in the queue: what is said through it is on its way at once.
pub(super) struct Slot<'a> {
    place: Option<OwnedSemaphorePermit>,
    queue: mpsc::Permit<'a, Out>,
    shared: &'a Shared,
}

impl Slot<'_> {
    pub(super) fn say(self, frame: impl FnOnce(u32) -> Vec<u8>) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        let sequence = self.shared.next();
        let waiter = Waiter { answer, since: Instant::now(), has_begun: false, _place: self.place };
        match self.shared.waiting().as_mut() {
            Some(waiting) => {
                waiting.insert(sequence, waiter);
            }
            None => waiter.end(),
        }
        self.queue.send(Out { frame: frame(sequence), awaited: Some(sequence), is_last: false });
        answered
    }
}

impl Waiter {
    fn end(self) {
        if !self.has_begun {
            let _ = self.answer.send(Answer::Unsaid);
        }
    }
}

impl Line {
    /// Takes over a connection on which a bind was agreed; `buffer` is what was read beyond.
    pub(super) fn start(stream: Box<dyn Stream>, buffer: Vec<u8>, window: usize, enquire: Duration, desk: Desk) -> Self {
        let (out, queue) = mpsc::channel(QUEUE);
        let window = Arc::new(Semaphore::new(window));
        let shared = Arc::new(Shared {
            waiting: Mutex::new(Some(HashMap::new())),
            sequence: AtomicU32::new(1),
            heard: Mutex::new(Instant::now()),
            ended: watch::Sender::new(false),
            window: Arc::clone(&window),
        });
        let (reading, writing) = tokio::io::split(stream);
        let (for_task, replies) = (Arc::clone(&shared), out.downgrade());
        tokio::spawn(async move {
            tokio::select! {
                () = write(writing, queue, &for_task, enquire) => {}
                () = read(reading, buffer, &for_task, &replies, &desk) => {}
            }
            for_task.end();
        });
        Self { out, window, shared }
    }

    pub(super) fn is_up(&self) -> bool {
        !*self.shared.ended.borrow()
    }

    /// Waits for the line's end.
    pub(super) async fn ended(&self) {
        let _ = self.shared.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Waits for room in the window; none: the line has ended.
    pub(super) async fn slot(&self) -> Option<Slot<'_>> {
        let place = Arc::clone(&self.window).acquire_owned().await.ok()?;
        let queue = self.out.reserve().await.ok()?;
        Some(Slot { place: Some(place), queue, shared: &self.shared })
    }

    /// Whether the centre still answers.
    pub(super) async fn enquire(&self) -> bool {
        let Ok(queue) = self.out.reserve().await else { return false };
        let slot = Slot { place: None, queue, shared: &self.shared };
        matches!(slot.say(wire::enquire_link).await, Ok(Answer::Reply { .. }))
    }

    /// Unbinds and waits for the end.
    pub(super) async fn leave(self) {
        let mut ended = self.shared.ended.subscribe();
        drop(self);
        let _ = timeout(GOODBYE, ended.wait_for(|ended| *ended)).await;
    }
}

impl Shared {
    fn waiting(&self) -> std::sync::MutexGuard<'_, Option<HashMap<u32, Waiter>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers run from 1 to 0x7FFFFFFF; the bind was 1.
    fn next(&self) -> u32 {
        self.sequence.fetch_add(1, Ordering::Relaxed) % 0x7FFF_FFFF + 1
    }

    /// Whether a request is to be written: not when nobody waits for it any more.
    fn begin(&self, sequence: u32) -> bool {
        let mut waiting = self.waiting();
        let Some(waiting) = waiting.as_mut() else { return false };
        match waiting.get_mut(&sequence) {
            Some(waiter) if !waiter.answer.is_closed() => {
                waiter.has_begun = true;
                true
            }
            Some(_) | None => {
                waiting.remove(&sequence);
                false
            }
        }
    }

    fn answer(&self, pdu: Incoming) {
        let waiter = self.waiting().as_mut().and_then(|waiting| waiting.remove(&pdu.sequence));
        if let Some(waiter) = waiter {
            let _ = waiter.answer.send(Answer::Reply { id: pdu.id, status: pdu.status, body: pdu.body });
        }
    }

    fn give_up_old(&self) {
        if let Some(waiting) = self.waiting().as_mut() {
            waiting.retain(|_, waiter| waiter.since.elapsed() < UNANSWERED);
        }
    }

    fn hear(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn heard(&self) -> Instant {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        let waiting = self.waiting().take().unwrap_or_default();
        self.window.close();
        self.ended.send_replace(true);
        for waiter in waiting.into_values() {
            waiter.end();
        }
    }
}

/// Writes what is brought, asks after a silence, and unbinds when the handle has gone.
async fn write(mut stream: WriteHalf<Box<dyn Stream>>, mut queue: mpsc::Receiver<Out>, shared: &Shared, enquire: Duration) {
    let mut probed: Option<Instant> = None;
    let mut looked = Instant::now();
    loop {
        // Not left to the silences: a centre that talks all the time has none.
        if looked.elapsed() >= PROBE {
            shared.give_up_old();
            looked = Instant::now();
        }
        let wake = match probed {
            Some(since) => since + PROBE,
            None => shared.heard() + enquire,
        };
        tokio::select! {
            out = queue.recv() => {
                let Some(out) = out else {
                    if put(&mut stream, &wire::unbind(shared.next())).await {
                        sleep(GOODBYE).await;
                    }
                    return;
                };
                if out.awaited.is_none_or(|sequence| shared.begin(sequence)) && !put(&mut stream, &out.frame).await || out.is_last {
                    return;
                }
            }
            () = sleep_until(wake) => match probed {
                Some(since) => {
                    // A process that stood still finds the end of the wait and the answer together.
                    yield_now().await;
                    if shared.heard() < since {
                        return;
                    }
                    probed = None;
                }
                None if shared.heard().elapsed() >= enquire => {
                    if !put(&mut stream, &wire::enquire_link(shared.next())).await {
                        return;
                    }
                    probed = Some(Instant::now());
                }
                None => {}
            }
        }
    }
}

/// Whether all of it was written in time.
async fn put(stream: &mut WriteHalf<Box<dyn Stream>>, frame: &[u8]) -> bool {
    let written = timeout(WRITE, async {
        stream.write_all(frame).await?;
        stream.flush().await
    });
    matches!(written.await, Ok(Ok(())))
}

/// Reads until the line breaks, the centre has confirmed a leave-taking, or what comes is no SMPP.
async fn read(
    mut stream: ReadHalf<Box<dyn Stream>>,
    mut buffer: Vec<u8>,
    shared: &Shared,
    replies: &mpsc::WeakSender<Out>,
    desk: &Desk,
) {
    loop {
        loop {
            match wire::take(&mut buffer) {
                Ok(Some(pdu)) if pdu.id == wire::UNBIND_RESP => return,
                Ok(Some(pdu)) if pdu.id & wire::RESPONSE != 0 => shared.answer(pdu),
                Ok(Some(pdu)) => asked(pdu, replies, desk).await,
                Ok(None) => break,
                Err(wire::NotSmpp) => return,
            }
        }
        match stream.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => shared.hear(),
        }
    }
}

/// What the centre wants of us.
async fn asked(pdu: Incoming, replies: &mpsc::WeakSender<Out>, desk: &Desk) {
    let sequence = pdu.sequence;
    let reply = match pdu.id {
        wire::ENQUIRE_LINK => Out::answer(wire::enquire_link_resp(sequence)),
        wire::UNBIND => Out { is_last: true, ..Out::answer(wire::unbind_resp(sequence)) },
        wire::DELIVER_SM | wire::DATA_SM => match desk.take(&pdu, replies) {
            Some(status) => Out::answer(wire::taken(pdu.id, status, sequence)),
            None => return,
        },
        wire::ALERT_NOTIFICATION | wire::OUTBIND => return,
        _ => Out::answer(wire::not_known(sequence)),
    };
    if let Some(replies) = replies.upgrade() {
        let _ = replies.send(reply).await;
    }
}
