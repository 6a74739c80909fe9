//! A tenant's balance.

use countersign_model::{Money, TenantId};
use redis::Value;

use super::answers::Parts;
use super::plan::{Plan, account_key, due_key, log_key};
use super::scripts;
use crate::session::packed::{LAYOUT, Malformed, Reader, Writer, amount};
use crate::store::verdicts::{Balance, CreditVerdict};
use crate::store::{Credit, StoreError};

/// Values of an account.
const ACCOUNT: usize = 7;

pub(super) fn credit(step: &Credit) -> Plan {
    let mut out = Writer::new();
    out.array(3).int(0).int(i64::try_from(step.number).unwrap_or(i64::MAX)).int(step.amount.micros());
    plan(step.tenant, out)
}

pub(super) fn cut(tenant: TenantId) -> Plan {
    let mut out = Writer::new();
    out.array(1).int(1);
    plan(tenant, out)
}

pub(super) fn rebuild(tenant: TenantId, ledger: Money, credits: u64) -> Plan {
    let mut out = Writer::new();
    out.array(3).int(2).int(ledger.micros()).int(i64::try_from(credits).unwrap_or(i64::MAX));
    plan(tenant, out)
}

fn plan(tenant: TenantId, out: Writer) -> Plan {
    Plan::new(&scripts::ACCOUNT, tenant.partition(), vec![account_key(tenant), log_key(), due_key()], out)
}

/// The verdict's number, and how the balance stands.
pub(super) fn answer(value: Value) -> Result<(u8, Balance), StoreError> {
    let mut parts = Parts::of(value)?;
    let verdict = parts.int()?;
    let mut amount = || -> Result<Money, Malformed> {
        let micros = parts.text()?.parse().map_err(|_| Malformed)?;
        Money::from_micros(micros).ok_or(Malformed)
    };
    let (balance, held) = (amount()?, amount()?);
    Ok((verdict, Balance { balance, held, credits: parts.int()? }))
}

pub(super) fn credited(value: Value) -> Result<CreditVerdict, StoreError> {
    Ok(match answer(value)? {
        (0, balance) => CreditVerdict::Credited(balance),
        (1, balance) => CreditVerdict::Before(balance),
        (2, balance) => CreditVerdict::Short(balance),
        (3, balance) => CreditVerdict::Gap { next: balance.credits + 1 },
        _ => return Err(Malformed.into()),
    })
}

/// Reads an account as it is kept.
pub(super) fn balance(packed: &[u8]) -> Result<Balance, Malformed> {
    let mut from = Reader::new(packed);
    from.array_of(ACCOUNT)?;
    if from.int::<u8>()? != LAYOUT {
        return Err(Malformed);
    }
    Ok(Balance { balance: amount(&mut from)?, held: amount(&mut from)?, credits: from.int()? })
}
