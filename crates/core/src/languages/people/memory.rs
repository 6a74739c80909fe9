//! What this process remembers of the languages of tenants' contacts.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_model::{TenantId, Timestamp};
use countersign_session::Fingerprint;
use tokio::sync::Mutex as AsyncMutex;

/// How long an answer of the records is good: what another process writes is seen after that at the latest.
const LIFE: Duration = Duration::from_secs(60);
/// How long nobody asks after the records failed to answer.
const REST: Duration = Duration::from_secs(5);
/// Addresses that are remembered: at least the last so many, at most twice as many.
const ADDRESSES: usize = 20_000;

/// Answers of the records, each for a minute, less what this process has changed since. Holds no address, only keyed hashes of them.
#[derive(Default)]
pub(crate) struct ContactLocales {
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// One for each tenant that has sent something or changed a contact.
    tenants: HashMap<TenantId, Tenant>,
    young: HashMap<Fingerprint, Heard>,
    /// What was young before it became too much.
    old: HashMap<Fingerprint, Heard>,
    rests_until: Option<Timestamp>,
}

#[derive(Default)]
struct Tenant {
    /// Counts the changes of its contacts by this process: what was heard before one is not remembered.
    changes: u64,
    /// Whether any of its contacts has a language, and until when that is good.
    has_any: Option<(bool, Timestamp)>,
    /// Taken by who asks for that.
    turn: Arc<AsyncMutex<()>>,
}

/// What the records said of one address.
struct Heard {
    locale: Option<String>,
    changes: u64,
    until: Timestamp,
}

/// What is remembered of one address.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Recalled {
    /// The language of its contact, as far as there is one and it has one.
    Said(Option<String>),
    /// Nothing: the records must say.
    Nothing,
}

/// A change of a tenant's contacts under way. When it goes, however it ended, the next send of this process sees it.
#[must_use = "the change is over when this goes"]
pub(crate) struct Writing<'a> {
    of: &'a ContactLocales,
    tenant: TenantId,
    sets_locale: bool,
    began: Timestamp,
}

impl ContactLocales {
    /// Whether any of the tenant's contacts has a language; none: the records must say.
    pub(super) fn has_any(&self, tenant: TenantId, now: Timestamp) -> Option<bool> {
        let memory = self.memory();
        let (any, until) = memory.tenants.get(&tenant)?.has_any?;
        (now < until).then_some(any)
    }

    /// Remembers it. That there is none is not believed of a tenant that has just been given one.
    pub(super) fn keep_any(&self, tenant: TenantId, any: bool, now: Timestamp) {
        let mut memory = self.memory();
        let known = &mut memory.tenants.entry(tenant).or_default().has_any;
        if any || !known.is_some_and(|(known, until)| known && now < until) {
            *known = Some((any, now.plus(LIFE)));
        }
    }

    /// What a send takes before it asks for that.
    pub(super) fn turn(&self, tenant: TenantId) -> Arc<AsyncMutex<()>> {
        Arc::clone(&self.memory().tenants.entry(tenant).or_default().turn)
    }

    /// How often this process has changed the tenant's contacts.
    pub(super) fn changes(&self, tenant: TenantId) -> u64 {
        self.memory().changes(tenant)
    }

    /// The language of who has the address.
    pub(super) fn recall(&self, tenant: TenantId, name: Fingerprint, now: Timestamp) -> Recalled {
        let memory = self.memory();
        match memory.young.get(&name).or_else(|| memory.old.get(&name)) {
            Some(heard) if now < heard.until && heard.changes == memory.changes(tenant) => Recalled::Said(heard.locale.clone()),
            Some(_) | None => Recalled::Nothing,
        }
    }

    /// Remembers what the records said after so many changes.
    pub(super) fn keep(&self, tenant: TenantId, name: Fingerprint, locale: Option<String>, changes: u64, now: Timestamp) {
        let mut memory = self.memory();
        if changes != memory.changes(tenant) {
            return;
        }
        if memory.young.len() >= ADDRESSES {
            memory.old = mem::take(&mut memory.young);
        }
        memory.young.insert(name, Heard { locale, changes, until: now.plus(LIFE) });
    }

    /// Lets the records be for a while.
    pub(super) fn rest(&self, now: Timestamp) {
        self.memory().rests_until = Some(now.plus(REST));
    }

    pub(super) fn rests(&self, now: Timestamp) -> bool {
        self.memory().rests_until.is_some_and(|until| now < until)
    }

    /// Begins a change of the tenant's contacts. `sets_locale`: whether one of them may have a language afterwards that had none.
    pub(crate) const fn writing(&self, tenant: TenantId, sets_locale: bool, now: Timestamp) -> Writing<'_> {
        Writing { of: self, tenant, sets_locale, began: now }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn changes(&self, tenant: TenantId) -> u64 {
        self.tenants.get(&tenant).map_or(0, |tenant| tenant.changes)
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        let mut memory = self.of.memory();
        let tenant = memory.tenants.entry(self.tenant).or_default();
        tenant.changes += 1;
        if self.sets_locale {
            tenant.has_any = Some((true, self.began.plus(LIFE)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_768_473_900_000);

    fn tenant(number: u128) -> TenantId {
        TenantId::from_bits(number)
    }

    fn name(number: u128) -> Fingerprint {
        Fingerprint(number.to_be_bytes())
    }

    fn later(seconds: u64) -> Timestamp {
        NOW.plus(Duration::from_secs(seconds))
    }

    fn spanish() -> String {
        "es".to_owned()
    }

    fn recall(locales: &ContactLocales, number: u128, at: Timestamp) -> Recalled {
        locales.recall(tenant(1), name(number), at)
    }

    #[test]
    fn an_answer_is_good_for_a_minute() {
        let locales = ContactLocales::default();
        assert_eq!((locales.has_any(tenant(1), NOW), recall(&locales, 1, NOW)), (None, Recalled::Nothing));
        locales.keep_any(tenant(1), false, NOW);
        locales.keep(tenant(1), name(1), Some(spanish()), 0, NOW);
        locales.keep(tenant(1), name(2), None, 0, NOW);
        assert_eq!(locales.has_any(tenant(1), later(59)), Some(false));
        assert_eq!(recall(&locales, 1, later(59)), Recalled::Said(Some(spanish())));
        assert_eq!(recall(&locales, 2, later(59)), Recalled::Said(None), "that nobody says it is an answer, too");
        assert_eq!((locales.has_any(tenant(1), later(60)), recall(&locales, 1, later(60))), (None, Recalled::Nothing));
        assert_eq!(locales.has_any(tenant(2), NOW), None);
    }

    #[test]
    fn a_change_is_seen_when_it_is_over_and_what_was_asked_before_is_not_believed() {
        let locales = ContactLocales::default();
        locales.keep(tenant(1), name(1), Some(spanish()), 0, NOW);
        locales.keep(tenant(2), name(2), Some(spanish()), 0, NOW);
        let asked = locales.changes(tenant(1));
        drop(locales.writing(tenant(1), false, NOW));
        assert_eq!(recall(&locales, 1, NOW), Recalled::Nothing);
        assert_eq!(locales.recall(tenant(2), name(2), NOW), Recalled::Said(Some(spanish())), "of others all stays");
        locales.keep(tenant(1), name(1), Some(spanish()), asked, NOW);
        assert_eq!(recall(&locales, 1, NOW), Recalled::Nothing);
        locales.keep(tenant(1), name(1), None, asked + 1, NOW);
        assert_eq!(recall(&locales, 1, NOW), Recalled::Said(None));
    }

    #[test]
    fn a_first_language_is_known_before_the_records_are_asked_again() {
        let locales = ContactLocales::default();
        locales.keep_any(tenant(1), false, NOW);
        drop(locales.writing(tenant(1), false, NOW));
        assert_eq!(locales.has_any(tenant(1), NOW), Some(false), "no language was set");
        drop(locales.writing(tenant(1), true, NOW));
        assert_eq!(locales.has_any(tenant(1), NOW), Some(true));
        locales.keep_any(tenant(1), false, NOW);
        assert_eq!(locales.has_any(tenant(1), NOW), Some(true), "asked before the change was made");
        locales.keep_any(tenant(1), false, later(60));
        assert_eq!(locales.has_any(tenant(1), later(60)), Some(false));
    }

    #[test]
    fn records_that_did_not_answer_are_left_alone_for_five_seconds() {
        let locales = ContactLocales::default();
        assert!(!locales.rests(NOW));
        locales.rest(NOW);
        assert!(locales.rests(later(4)));
        assert!(!locales.rests(later(5)));
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for_and_the_newest_stays() {
        let locales = ContactLocales::default();
        for number in 0..=2 * ADDRESSES as u128 {
            locales.keep(tenant(1), name(number), Some(spanish()), 0, NOW);
        }
        let memory = locales.memory();
        assert_eq!((memory.young.len(), memory.old.len()), (1, ADDRESSES));
        drop(memory);
        assert_eq!(recall(&locales, 0, NOW), Recalled::Nothing);
        assert_eq!(recall(&locales, ADDRESSES as u128, NOW), Recalled::Said(Some(spanish())));
        assert_eq!(recall(&locales, 2 * ADDRESSES as u128, NOW), Recalled::Said(Some(spanish())));
    }
}
