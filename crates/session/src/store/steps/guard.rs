//! What stands before every step that a caller asks for: is the key still good, are the caller's records still true, is there a call left.

use countersign_model::{KeyId, KeyKind, Limit, Quota, TenantId};

use super::Step;
use crate::code::SubjectKey;
use crate::session::Context;
use crate::store::StoreError;
use crate::store::rows::Rows;
use crate::store::verdicts::{Answer, Heard};

/// Who asks, as far as the node that let the caller in knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// Whose key.
    pub tenant: TenantId,
    /// Of which kind.
    pub keys: KeyKind,
    /// The key.
    pub key: KeyId,
    /// The tenant's revision, as that node has its records.
    pub revision: u64,
    /// Where the key's calls are counted.
    pub calls: SubjectKey,
    /// How many it has.
    pub limit: Limit,
}

/// Counts a call that takes no step of its own.
#[derive(Debug, Clone, Copy)]
pub struct Admit {
    /// Who asks.
    pub guard: Guard,
}

/// Whether a step may be taken, and what is left after its call.
pub(super) enum Admission {
    /// It may. None: nobody asks, time does.
    In(Option<Quota>),
    /// It may not.
    Out(Out),
}

/// Why a step is not taken.
pub(super) enum Out {
    Revoked,
    Stale { revision: u64 },
    TooManyCalls(Quota),
}

impl Out {
    pub(super) fn heard<V>(self) -> Heard<V> {
        match self {
            Self::Revoked => Heard { quota: None, answer: Answer::Revoked },
            Self::Stale { revision } => Heard { quota: None, answer: Answer::Stale { revision } },
            Self::TooManyCalls(quota) => Heard { quota: Some(quota), answer: Answer::TooManyCalls },
        }
    }
}

/// Counts the call, unless it is turned away. What turns it away counts nothing.
pub(super) fn admit(rows: &mut dyn Rows, guard: Option<&Guard>, cx: &Context<'_>) -> Result<Admission, StoreError> {
    let Some(guard) = guard else { return Ok(Admission::In(None)) };
    if let Some(head) = rows.head(guard.tenant)? {
        if head.has_revoked(guard.key, cx.now) {
            return Ok(Admission::Out(Out::Revoked));
        }
        if head.revision > guard.revision {
            return Ok(Admission::Out(Out::Stale { revision: head.revision }));
        }
    }
    let mut calls = rows.subject(guard.calls)?.unwrap_or_default();
    let wait = calls.sends.wait(guard.limit, 1, cx.now);
    if wait.is_none() {
        calls.sends.add(guard.limit, 1, cx.now);
        rows.put_subject(guard.calls, &calls, cx.now.plus(guard.limit.window * 2))?;
    }
    let remaining = guard.limit.max.saturating_sub(calls.sends.count(guard.limit, cx.now));
    let resets_in = wait.unwrap_or_else(|| calls.sends.wait(guard.limit, remaining + 1, cx.now).unwrap_or(guard.limit.window));
    let quota = Quota { limit: guard.limit, remaining, resets_in, resets_at: cx.now.plus(resets_in) };
    Ok(if wait.is_none() { Admission::In(Some(quota)) } else { Admission::Out(Out::TooManyCalls(quota)) })
}

impl Step for Admit {
    type Verdict = Heard<()>;

    fn take(&self, rows: &mut dyn Rows, cx: &Context<'_>) -> Result<Self::Verdict, StoreError> {
        match admit(rows, Some(&self.guard), cx)? {
            Admission::In(quota) => Ok(Heard { quota, answer: Answer::Fresh(()) }),
            Admission::Out(out) => Ok(out.heard()),
        }
    }
}
