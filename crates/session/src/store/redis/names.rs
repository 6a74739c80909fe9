//! What sessions are found by besides their ids, and counts that no step on a session keeps.

use countersign_model::Scope;
use redis::Value;

use super::RedisStore;
use super::answers::{Parts, session};
use super::plan::{Plan, name_key, subject_key, write_rule};
use super::scripts;
use crate::code::{CodeKeys, Fingerprint};
use crate::session::packed::{Malformed, Writer, scope_bytes};
use crate::session::{Context, NewSession, Session};
use crate::store::verdicts::StrikeVerdict;
use crate::store::{NameQuery, StoreError, Strike, Unblock, newest_first};
use crate::subject::BudgetRule;

/// Sessions that one answer holds at most: as many as one name keeps.
const MAX_NAMED: u32 = 64;

/// The rows in which an opening looks and writes, in the order in which the script expects them: slot, recipient, names of codes.
pub(super) struct NamedKeys {
    pub(super) keys: Vec<Vec<u8>>,
    /// How many codes there are to choose from, and how many names stand behind each.
    candidates: u32,
    names_each: usize,
}

impl NamedKeys {
    pub(super) fn of(new: &NewSession, keys: &CodeKeys) -> Self {
        let mut named: Vec<Fingerprint> = new.names.slot.into_iter().chain(new.names.recipient).collect();
        let candidates = new.candidates();
        let mut names_each = 0;
        if new.names.by_code {
            let first = named.len();
            for generation in 0..candidates {
                for code in new.codes_of(generation) {
                    let under = keys.code_names(new.scope.tenant, new.mode, code.expose());
                    // Where nothing is chosen the names are only written, each once.
                    let looked = if candidates > 1 { under.len() } else { 1 };
                    let fresh = under.into_iter().take(looked).filter(|name| candidates > 1 || !named[first..].contains(name));
                    named.extend(fresh.collect::<Vec<_>>());
                }
            }
            names_each = (named.len() - first) / candidates as usize;
        }
        Self { keys: named.into_iter().map(name_key).collect(), candidates, names_each }
    }

    /// Whether there is a slot and a recipient, codes to choose from, names of each, and the macs of the codes beside the first.
    pub(super) fn write(&self, out: &mut Writer, new: &NewSession, cx: &Context<'_>) {
        if self.keys.is_empty() {
            out.none();
            return;
        }
        out.array(5).flag(new.names.slot.is_some()).flag(new.names.recipient.is_some());
        out.int(self.candidates).int(i64::try_from(self.names_each).unwrap_or(i64::MAX));
        let mut macs = Vec::new();
        for generation in 1..self.candidates {
            for (asked, code) in new.challenges.iter().zip(new.codes_of(generation)) {
                macs.extend(cx.keys.digest(new.id, asked.channel, generation, &code, cx.now).parts().1);
            }
        }
        out.bytes(&macs);
    }
}

impl RedisStore {
    pub(super) async fn named_sessions(&self, scope: Scope, query: &NameQuery) -> Result<Vec<Session>, StoreError> {
        let names = query.names(scope.tenant, &self.keys);
        let mut out = Writer::new();
        out.array(2).bytes(&scope_bytes(scope)).int(MAX_NAMED);
        let keys = names.into_iter().map(name_key).collect();
        let plan = Plan::new(&scripts::NAMED, scope.tenant.partition(), keys, out);
        let mut parts = Parts::of(self.run(&plan).await?.value)?;
        let (now, mut found) = (parts.moment()?, Vec::new());
        while let Some(packed) = parts.next_bytes()? {
            found.push(session(&packed)?);
        }
        Ok(newest_first(found.into_iter(), now))
    }
}

pub(super) fn strike(step: &Strike) -> Plan {
    let mut out = Writer::new();
    out.array(3).int(step.limit.max).int(crate::session::packed::millis(step.limit.window)).int(step.count);
    Plan::new(&scripts::STRIKE, step.tenant.partition(), vec![subject_key(step.subject)], out)
}

pub(super) fn struck(value: Value) -> Result<StrikeVerdict, StoreError> {
    let mut parts = Parts::of(value)?;
    match parts.int::<u8>()? {
        0 => Ok(StrikeVerdict::Room { remaining: parts.int()? }),
        1 => Ok(StrikeVerdict::Full { wait: parts.span()? }),
        _ => Err(Malformed.into()),
    }
}

pub(super) fn unblock(step: &Unblock, rule: BudgetRule) -> Plan {
    let mut out = Writer::new();
    write_rule(&mut out, rule);
    Plan::new(&scripts::UNBLOCK, step.tenant.partition(), vec![subject_key(step.subject)], out)
}

pub(super) fn unblocked(value: &Value) -> Result<bool, StoreError> {
    match value {
        Value::Int(0) => Ok(false),
        Value::Int(1) => Ok(true),
        _ => Err(Malformed.into()),
    }
}
