//! What a session is found by besides its id: whether that is still free, and who stands there now.

use std::time::Duration;

use countersign_model::Scope;

use crate::code::Fingerprint;
use crate::session::{Context, NewSession, Session, TOKEN_LIFE};
use crate::store::StoreError;
use crate::store::rows::{NameRow, Named, Rows};

/// How long another session keeps the slot that a new one wants; none: it is free, or none is wanted.
pub(super) fn slot_wait(rows: &mut dyn Rows, new: &NewSession, cx: &Context<'_>) -> Result<Option<Duration>, StoreError> {
    let Some(slot) = new.names.slot else { return Ok(None) };
    let Some(holder) = rows.name(slot)?.and_then(|row| row.living(cx.now).last()) else { return Ok(None) };
    let scope = Scope { keys: holder.keys, ..new.scope };
    Ok(rows.session(scope, holder.session)?.and_then(|session| session.slot_wait(cx.now)))
}

/// The generation of the codes that a session is opened with: the first by whose code nobody is found, else the first of all.
pub(super) fn free_generation(rows: &mut dyn Rows, new: &NewSession, cx: &Context<'_>) -> Result<u32, StoreError> {
    if new.candidates() < 2 {
        return Ok(0);
    }
    for generation in 0..new.candidates() {
        let mut taken = false;
        for name in code_names(new, generation, cx).into_iter().flatten() {
            taken |= rows.name(name)?.is_some_and(|row| row.living(cx.now).next().is_some());
        }
        if !taken {
            return Ok(generation);
        }
    }
    Ok(0)
}

/// The names of each code that a session of that generation is opened with, the one it is written down under first.
fn code_names(new: &NewSession, generation: u32, cx: &Context<'_>) -> Vec<Vec<Fingerprint>> {
    let mut all: Vec<Vec<Fingerprint>> = Vec::new();
    for code in new.codes_of(generation) {
        let names = cx.keys.code_names(new.scope.tenant, new.mode, code.expose());
        if !all.contains(&names) {
            all.push(names);
        }
    }
    all
}

/// Writes a new session down under its names.
pub(super) fn write(rows: &mut dyn Rows, new: &NewSession, session: &Session, cx: &Context<'_>) -> Result<(), StoreError> {
    let until = |until| Named { session: new.id, keys: new.scope.keys, until };
    if let Some(slot) = new.names.slot {
        rows.put_name(slot, &NameRow::of(until(session.expires_at().plus(TOKEN_LIFE))))?;
    }
    let mut shared: Vec<Fingerprint> = new.names.recipient.into_iter().collect();
    if new.names.by_code {
        shared.extend(code_names(new, session.generation(), cx).into_iter().filter_map(|names| names.first().copied()));
    }
    for name in shared {
        let mut row = rows.name(name)?.unwrap_or_default();
        row.add(until(session.expires_at()), cx.now);
        rows.put_name(name, &row)?;
    }
    Ok(())
}
