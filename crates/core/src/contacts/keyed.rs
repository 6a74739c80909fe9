//! One change of contacts: its effect and the answer to its idempotency key in one transaction.

use std::time::Duration;

use countersign_model::{KeyKind, Mode};
use countersign_records::{Claim, KeyedCall, RecordsError, Transaction};
use data_encoding::HEXLOWER;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ContactError, refusal};
use crate::admission::TRIES;
use crate::callers::Caller;
use crate::idempotency::IdempotencyKey;
use crate::platform::Platform;
use crate::refusal::Refusal;

/// How long an answer is given again.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What a change came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<T> {
    /// What became of it.
    pub value: T,
    /// An earlier call with the same idempotency key made the change; this one made none.
    pub replayed: bool,
}

/// Why a transaction is given up.
pub(super) enum Failed {
    /// The caller is told.
    Told(ContactError),
    /// The records refused; another try may go well.
    Records(RecordsError),
}

impl Platform {
    /// The call as its key is kept: only keyed hashes of key and body. `target` is what the path names.
    pub(super) fn keyed_call(&self, caller: &Caller, key: &IdempotencyKey, target: &str) -> KeyedCall {
        let fingerprint = |parts: &[&[u8]]| HEXLOWER.encode(&self.keys.fingerprint(parts).0);
        KeyedCall {
            tenant: caller.scope.tenant,
            mode: match caller.scope.keys {
                KeyKind::Live => Mode::Live,
                KeyKind::Test => Mode::Sandbox,
            },
            key: fingerprint(&[b"contacts key", key.path.as_bytes(), target.as_bytes(), key.key.as_bytes()]),
            body: fingerprint(&[b"contacts body", &key.body]),
        }
    }

    /// Does `work` and keeps its answer, all or nothing, unless the call was answered before.
    ///
    /// `work` runs again from its start when another change got in the way: it does nothing outside of its transaction.
    pub(super) async fn keyed<T: Serialize + DeserializeOwned>(
        &self,
        call: Option<&KeyedCall>,
        work: impl AsyncFn(&mut Transaction) -> Result<T, Failed>,
    ) -> Result<Answered<T>, ContactError> {
        for _ in 0..TRIES {
            match self.once(call, &work).await {
                Ok(answered) => return Ok(answered),
                // What somebody took between the look and the change is found by the next look.
                Err(Failed::Records(RecordsError::Conflict(_) | RecordsError::Exists)) => {}
                Err(Failed::Records(failure)) => return Err(refusal(failure).into()),
                Err(Failed::Told(told)) => return Err(told),
            }
        }
        Err(Refusal::Unsettled.into())
    }

    async fn once<T: Serialize + DeserializeOwned>(
        &self,
        call: Option<&KeyedCall>,
        work: &impl AsyncFn(&mut Transaction) -> Result<T, Failed>,
    ) -> Result<Answered<T>, Failed> {
        let mut transaction = self.records.begin().await?;
        if let Some(call) = call {
            let now = self.now();
            match transaction.claim(call, now, now.plus(KEPT)).await? {
                Claim::First => {}
                Claim::Answered(kept) => {
                    let value = serde_json::from_str(&kept);
                    let value = value.map_err(|_| refused(Refusal::Internal("a kept answer cannot be read")))?;
                    return Ok(Answered { value, replayed: true });
                }
                Claim::OtherBody => return Err(refused(Refusal::IdempotencyMismatch)),
            }
        }
        let value = work(&mut transaction).await?;
        if let Some(call) = call {
            let kept = serde_json::to_string(&value).map_err(|_| refused(Refusal::Internal("an answer cannot be kept")))?;
            transaction.answer(call, &kept).await?;
        }
        transaction.commit().await?;
        Ok(Answered { value, replayed: false })
    }
}

fn refused(refusal: Refusal) -> Failed {
    Failed::Told(refusal.into())
}
