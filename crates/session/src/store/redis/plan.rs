//! What is sent to a script: its keys, and what the step brings, packed.

use std::sync::atomic::{AtomicU8, Ordering};

use countersign_model::{Channel, Limit, Partition, Scope, SessionId, TenantId};

use super::link::{Call, META, Script};
use crate::code::{CodeKeys, Fingerprint, Seed, SubjectKey};
use crate::guess::Guess;
use crate::keys::Kid;
use crate::session::packed::{Writer, millis, scope_bytes};
use crate::store::{Claim, Guard, SendLimits};
use crate::subject::BudgetRule;

/// One call, before it has a connection. All keys lie in the partition.
pub(super) struct Plan {
    pub(super) script: &'static Script,
    pub(super) partition: Partition,
    /// Without the partition's tag.
    pub(super) keys: Vec<Vec<u8>>,
    pub(super) brought: Vec<u8>,
}

/// When a step is taken, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Moment {
    /// Now is this, whatever Redis says.
    Now(i64),
    /// Redis says when; but later than this by its time nobody waits any more, and nothing may be done.
    UpTo(i64),
}

impl Plan {
    /// `meta` is the first key of every script.
    pub(super) fn new(script: &'static Script, partition: Partition, keys: Vec<Vec<u8>>, brought: Writer) -> Self {
        let mut all = Vec::with_capacity(keys.len() + 1);
        all.push(META.as_bytes().to_vec());
        all.extend(keys);
        Self { script, partition, keys: all, brought: brought.finish() }
    }

    /// The call as it is sent.
    pub(super) fn call(&self, moment: Moment) -> Call {
        let size = self.brought.len() + self.keys.iter().map(|key| key.len() + 16).sum::<usize>();
        let mut call = Call::new(self.script, self.partition, self.keys.len(), size);
        for key in &self.keys {
            call.key(&[key]);
        }
        let moment = match moment {
            Moment::Now(now) => now.to_string(),
            Moment::UpTo(last) => format!("l{last}"),
        };
        call.arg(moment).arg(self.brought.as_slice());
        call
    }
}

fn named(letter: u8, name: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + 1);
    key.push(letter);
    key.extend_from_slice(name);
    key
}

pub(super) fn session_key(scope: Scope, id: SessionId) -> Vec<u8> {
    let mut key = named(b's', &scope_bytes(scope));
    key.extend(id.bits().to_be_bytes());
    key
}

pub(super) fn subject_key(subject: SubjectKey) -> Vec<u8> {
    named(b'u', &subject.0)
}

pub(super) fn memo_key(key: Fingerprint) -> Vec<u8> {
    named(b'm', &key.0)
}

/// What a session is found by besides its id.
pub(super) fn name_key(name: Fingerprint) -> Vec<u8> {
    named(b'n', &name.0)
}

/// What a provider's own name of a message stands for.
pub(super) fn message_key(name: Fingerprint) -> Vec<u8> {
    named(b'x', &name.0)
}

pub(super) fn head_key(tenant: TenantId) -> Vec<u8> {
    named(b'h', &tenant.bits().to_be_bytes())
}

pub(super) fn account_key(tenant: TenantId) -> Vec<u8> {
    named(b'a', &tenant.bits().to_be_bytes())
}

/// The sessions of a scope, by id.
pub(super) fn index_key(scope: Scope) -> Vec<u8> {
    named(b'i', &scope_bytes(scope))
}

/// The partition's log.
pub(super) fn log_key() -> Vec<u8> {
    b"log".to_vec()
}

/// The partition's sessions for which time alone will ask for something, by when.
pub(super) fn due_key() -> Vec<u8> {
    b"due".to_vec()
}

pub(super) fn write_guard(out: &mut Writer, guard: &Guard) {
    out.array(4).bytes(&guard.key.bits().to_be_bytes()).int(i64::try_from(guard.revision).unwrap_or(i64::MAX));
    write_limit(out, guard.limit);
}

fn write_limit(out: &mut Writer, limit: Limit) {
    out.int(limit.max).int(millis(limit.window));
}

pub(super) fn write_rule(out: &mut Writer, rule: BudgetRule) {
    out.array(3);
    write_limit(out, rule.wrong);
    out.int(rule.block_after);
}

pub(super) fn write_limits(out: &mut Writer, limits: &SendLimits) {
    out.array(4);
    write_limit(out, limits.per_user);
    out.int(limits.active_per_user).array(limits.counts.len() * 4);
    for count in &limits.counts {
        out.bytes(&count.subject.0).int(super::answers::limit_number(count.name));
        write_limit(out, count.limit);
    }
}

pub(super) fn write_claim(out: &mut Writer, claim: Option<Claim>) {
    match claim {
        Some(claim) => out.array(2).bytes(&claim.body.0).int(millis(claim.lease)),
        None => out.none(),
    };
}

/// What `guess` comes to under each key, in each generation, on each channel, in that order.
pub(super) fn guess_macs(keys: &CodeKeys, kids: &[Kid], session: SessionId, generations: &[u32], guess: &Guess) -> Vec<u8> {
    let mut macs = Vec::with_capacity(kids.len() * generations.len() * Channel::ALL.len() * 32);
    for kid in kids {
        for generation in generations {
            for channel in Channel::ALL {
                let mac = keys.guess_mac(*kid, session, channel, *generation, guess);
                macs.extend(mac.unwrap_or_default());
            }
        }
    }
    macs
}

/// Which codes a further send will need: only the session knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Digits.
    pub(super) length: u8,
    /// One code for all channels.
    pub(super) shared: bool,
}

/// The shape that the last session had. In most installations all sessions have one, so that the codes brought along are the right ones.
#[derive(Debug)]
pub(super) struct ShapeSeen(AtomicU8);

impl ShapeSeen {
    const SHARED: u8 = 0x80;

    pub(super) const fn new() -> Self {
        Self(AtomicU8::new(6))
    }

    pub(super) fn last(&self) -> Shape {
        let seen = self.0.load(Ordering::Relaxed);
        Shape { length: seen & !Self::SHARED, shared: seen & Self::SHARED != 0 }
    }

    pub(super) fn note(&self, shape: Shape) {
        self.0.store(shape.length | if shape.shared { Self::SHARED } else { 0 }, Ordering::Relaxed);
    }
}

/// Digests of the codes that `seed` makes for a session: for each generation and channel.
pub(super) fn write_codes(out: &mut Writer, keys: &CodeKeys, session: SessionId, seed: &Seed, shape: Shape, generations: &[u32]) {
    let mut macs = Vec::with_capacity(generations.len() * Channel::ALL.len() * 32);
    let mut kid = [0; 4];
    for generation in generations {
        for channel in Channel::ALL {
            let code = seed.code(session, (!shape.shared).then_some(channel), *generation, shape.length);
            let digest = keys.digest(session, channel, *generation, &code, countersign_model::Timestamp::from_millis(0));
            let (name, mac) = digest.parts();
            kid = name;
            macs.extend(mac);
        }
    }
    out.array(5).bytes(&kid).int(shape.length).flag(shape.shared);
    write_generations(out, generations);
    out.bytes(&macs);
}

pub(super) fn write_generations(out: &mut Writer, generations: &[u32]) {
    out.array(generations.len());
    for generation in generations {
        out.int(*generation);
    }
}
