//! What each step brings to its script, and which keys it names.

use countersign_model::{Channel, MessageId, PerChannel, ProviderName, Scope, Timestamp};

use super::log::write_event;
use super::names::NamedKeys;
use super::plan::{
    Plan, Shape, account_key, due_key, guess_macs, head_key, index_key, log_key, memo_key, session_key, subject_key, write_claim,
    write_codes, write_generations, write_guard, write_limits, write_rule,
};
use super::scripts;
use crate::code::{CodeKeys, SubjectKey};
use crate::guess::Guesses;
use crate::keys::Kid;
use crate::session::packed::{Malformed, Writer, channel_tags, millis, write_attempt};
use crate::session::{Context, Instead, Session, Turn};
use crate::store::{Advance, Cancel, Guard, Lapse, Open, Record, Resend, Verify};
use crate::subject::BudgetRule;

/// Generations of codes whose macs a guess brings along; of others the script asks for.
pub(super) const GUESSED: [u32; 3] = [0, 1, 2];
/// Generations of codes that a further send brings along.
pub(super) const SENT_AGAIN: [u32; 3] = [1, 2, 3];

/// What every step needs besides itself.
pub(super) struct Means<'a> {
    pub(super) keys: &'a CodeKeys,
    pub(super) budget: BudgetRule,
    /// How many entries the log may hold before nothing more is opened.
    pub(super) log_max_events: u64,
}

impl Means<'_> {
    fn write_log_max(&self, out: &mut Writer) {
        out.int(i64::try_from(self.log_max_events).unwrap_or(i64::MAX));
    }

    pub(super) fn open(&self, step: &Open) -> Result<Plan, Malformed> {
        let new = &step.session;
        // The moments of a session that is opened at the moment 0 are spans: the script adds its own moment to them.
        let start = Context { now: Timestamp::from_millis(0), keys: self.keys, budget: self.budget };
        let (session, events) = Session::open(new, 0, &start);
        let mut out = Writer::new();
        out.array(8);
        session.pack(&mut out)?;
        write_guard(&mut out, &step.guard);
        write_rule(&mut out, self.budget);
        write_limits(&mut out, &step.limits);
        write_claim(&mut out, step.claim);
        out.array(events.len());
        for event in &events {
            write_event(&mut out, event)?;
        }
        self.write_log_max(&mut out);
        let named = NamedKeys::of(new, self.keys);
        named.write(&mut out, new, &start);

        let mut keys = caller_keys(&step.guard, session_key(new.scope, new.id));
        keys.extend(step.claim.map(|claim| memo_key(claim.key)));
        if new.billing.is_some() {
            keys.push(account_key(new.scope.tenant));
        }
        let budgets = new.budgets().map(|(_, budget)| budget);
        let counts = step.limits.counts.iter().map(|count| count.subject);
        keys.extend(distinct(budgets.chain(new.users.iter().copied()).chain(counts)).into_iter().map(subject_key));
        keys.extend(named.keys);
        keys.extend([log_key(), due_key(), index_key(new.scope)]);
        Ok(Plan::new(&scripts::OPEN, new.scope.tenant.partition(), keys, out))
    }

    /// `generations`: of codes, whose macs are brought along.
    pub(super) fn verify(&self, step: &Verify, generations: &[u32]) -> Plan {
        let kids: Vec<Kid> = self.keys.kids().collect();
        let mut out = Writer::new();
        out.array(9).bytes(&step.step.bits().to_be_bytes());
        write_guard_or_none(&mut out, step.guard.as_ref());
        write_rule(&mut out, self.budget);
        write_claim(&mut out, step.claim);
        write_generations(&mut out, generations);
        out.array(kids.len());
        for kid in &kids {
            out.bytes(&kid.bytes());
        }
        let macs = |guess: &_| guess_macs(self.keys, &kids, step.session, generations, guess);
        match &step.guesses {
            Guesses::Unnamed(guess) => {
                out.flag(false).array(3).int(0).int(0).bytes(&macs(guess));
            }
            Guesses::Named(named) => {
                out.flag(true).array(named.len() * 3);
                for (channel, guess) in named {
                    // Redis never hears what was typed, only which guesses are equal.
                    let same = named.iter().position(|(_, other)| other == guess).unwrap_or_default();
                    out.int(channel.tag()).int(i64::try_from(same).unwrap_or_default()).bytes(&macs(guess));
                }
            }
        }
        out.flag(step.spare_budget);
        let mut keys = maybe_caller_keys(step.guard.as_ref(), step.scope, session_key(step.scope, step.session));
        keys.extend(step.claim.map(|claim| memo_key(claim.key)));
        keys.extend(distinct(step.budgets.iter().copied()).into_iter().map(subject_key));
        keys.extend([account_key(step.scope.tenant), log_key()]);
        Plan::new(&scripts::VERIFY, step.scope.tenant.partition(), keys, out)
    }

    pub(super) fn resend(&self, step: &Resend, shape: Shape, generations: &[u32]) -> Plan {
        let mut out = Writer::new();
        out.array(11).bytes(&step.step.bits().to_be_bytes());
        write_guard(&mut out, &step.guard);
        write_rule(&mut out, self.budget);
        write_limits(&mut out, &step.limits);
        write_claim(&mut out, step.claim);
        write_codes(&mut out, self.keys, step.session, &step.seed, shape, generations);
        write_messages(&mut out, &step.messages, &step.instant);
        out.int(millis(step.lease));
        out.bytes_or_none(step.channels.as_deref().map(channel_tags).as_deref());
        self.write_log_max(&mut out);
        let mut keys = caller_keys(&step.guard, session_key(step.scope, step.session));
        keys.extend(step.claim.map(|claim| memo_key(claim.key)));
        keys.extend([account_key(step.scope.tenant), log_key(), due_key()]);
        Plan::new(&scripts::RESEND, step.scope.tenant.partition(), keys, out)
    }

    pub(super) fn advance(&self, step: &Advance, shape: Shape, generations: &[u32]) -> Plan {
        let (turn, channel, of) = match step.turn {
            Turn::Next => (0, 0, None),
            Turn::Of(channel) => (1, channel.tag(), None),
            Turn::Due => (2, 0, None),
            Turn::Instead { of, by: Instead::Provider } => (3, 0, Some(of)),
            Turn::Instead { of, by: Instead::Channel } => (4, 0, Some(of)),
        };
        let mut out = Writer::new();
        out.array(10).bytes(&step.step.bits().to_be_bytes());
        write_guard_or_none(&mut out, step.guard.as_ref());
        write_rule(&mut out, self.budget);
        out.int(turn).int(channel);
        write_codes(&mut out, self.keys, step.session, &step.seed, shape, generations);
        write_messages(&mut out, &step.messages, &step.instant);
        out.int(millis(step.lease));
        write_message(&mut out, of);
        let session = session_key(step.scope, step.session);
        let mut keys = step.guard.as_ref().map_or_else(|| vec![session.clone()], |guard| caller_keys(guard, session.clone()));
        keys.extend([account_key(step.scope.tenant), log_key(), due_key()]);
        Plan::new(&scripts::ADVANCE, step.scope.tenant.partition(), keys, out)
    }
}

pub(super) fn record(step: &Record) -> Plan {
    let mut out = Writer::new();
    out.array(4).bytes(&step.step.bits().to_be_bytes()).array(step.outcomes.len() * 5);
    for (message, channel, attempt) in &step.outcomes {
        out.bytes(&message.bits().to_be_bytes()).int(channel.tag());
        write_attempt(&mut out, attempt);
    }
    write_claim(&mut out, step.claim);
    out.bytes(&channel_tags(&step.channels));
    let mut keys = vec![session_key(step.scope, step.session)];
    keys.extend(step.claim.map(|claim| memo_key(claim.key)));
    keys.extend([account_key(step.scope.tenant), log_key(), due_key()]);
    Plan::new(&scripts::RECORD, step.scope.tenant.partition(), keys, out)
}

pub(super) fn cancel(step: &Cancel) -> Plan {
    let mut out = Writer::new();
    out.array(3).bytes(&step.step.bits().to_be_bytes());
    write_guard_or_none(&mut out, step.guard.as_ref());
    write_claim(&mut out, step.claim);
    let mut keys = maybe_caller_keys(step.guard.as_ref(), step.scope, session_key(step.scope, step.session));
    keys.extend(step.claim.map(|claim| memo_key(claim.key)));
    keys.extend([account_key(step.scope.tenant), log_key()]);
    Plan::new(&scripts::CANCEL, step.scope.tenant.partition(), keys, out)
}

pub(super) fn lapse(step: &Lapse) -> Plan {
    let keys =
        vec![session_key(step.scope, step.session), account_key(step.scope.tenant), log_key(), due_key(), index_key(step.scope)];
    let mut out = Writer::new();
    out.array(1);
    write_message(&mut out, step.given_up);
    Plan::new(&scripts::LAPSE, step.scope.tenant.partition(), keys, out)
}

fn write_message(out: &mut Writer, message: Option<MessageId>) {
    out.bytes_or_none(message.map(|message| message.bits().to_be_bytes()).as_ref().map(|id| &id[..]));
}

pub(super) fn admit(guard: &Guard) -> Plan {
    let mut out = Writer::new();
    write_guard(&mut out, guard);
    let keys = vec![Vec::new(), head_key(guard.tenant), subject_key(guard.calls)];
    Plan::new(&scripts::ADMIT, guard.tenant.partition(), keys, out)
}

fn write_guard_or_none(out: &mut Writer, guard: Option<&Guard>) {
    match guard {
        Some(guard) => write_guard(out, guard),
        None => {
            out.none();
        }
    }
}

/// The same keys in the same places where nobody may ask: the counts of calls are then not looked at.
fn maybe_caller_keys(guard: Option<&Guard>, scope: Scope, session: Vec<u8>) -> Vec<Vec<u8>> {
    match guard {
        Some(guard) => caller_keys(guard, session),
        None => vec![session, head_key(scope.tenant), head_key(scope.tenant)],
    }
}

/// The keys with which every step begins that a caller asks for.
fn caller_keys(guard: &Guard, session: Vec<u8>) -> Vec<Vec<u8>> {
    vec![session, head_key(guard.tenant), subject_key(guard.calls)]
}

fn distinct(subjects: impl Iterator<Item = SubjectKey>) -> Vec<SubjectKey> {
    let mut distinct = Vec::new();
    for subject in subjects {
        if !distinct.contains(&subject) {
            distinct.push(subject);
        }
    }
    distinct
}

fn write_messages(out: &mut Writer, messages: &PerChannel<MessageId>, instant: &PerChannel<Option<ProviderName>>) {
    let ids: Vec<u8> = Channel::ALL.iter().flat_map(|channel| messages.get(*channel).bits().to_be_bytes()).collect();
    out.bytes(&ids).array(Channel::ALL.len());
    for channel in Channel::ALL {
        out.bytes_or_none(instant.get(channel).as_ref().map(|provider| provider.as_str().as_bytes()));
    }
}
