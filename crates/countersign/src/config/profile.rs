use std::fmt;

use countersign_model::{Channel, NumberRules, Service, ServiceProfile};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error as _, IntoDeserializer as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::Problem;

/// One of `[[services]]`: a profile that calls name by its UUID. What it leaves open, `[session]` decides; what that leaves open, the dialect of
/// the call.
#[derive(Debug, Clone, Serialize)]
pub struct NamedProfile {
    /// The UUID by which calls name it; bring along the one you had elsewhere.
    pub id: String,
    /// Its keys.
    #[serde(flatten)]
    pub profile: ServiceProfile,
}

const ID: &str = "id";

/// By hand: serde's own way to read keys of two structures from one section does not say which key is wrong.
impl<'de> Deserialize<'de> for NamedProfile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Section)
    }
}

struct Section;

impl<'de> Visitor<'de> for Section {
    type Value = NamedProfile;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<NamedProfile, A::Error> {
        let mut id = None;
        let profile = ServiceProfile::deserialize(MapAccessDeserializer::new(Rest { keys, id: &mut id }))?;
        Ok(NamedProfile { id: id.ok_or_else(|| A::Error::missing_field(ID))?, profile })
    }
}

/// A section's keys but for `id`, which is put aside.
struct Rest<'a, A> {
    keys: A,
    id: &'a mut Option<String>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Rest<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(key) = self.keys.next_key::<String>()? {
            if key != ID {
                return seed.deserialize(key.into_deserializer()).map(Some);
            }
            *self.id = Some(self.keys.next_value()?);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.keys.next_value_seed(seed)
    }
}

/// Keys of which nothing is in force where they are not set: each call decides, by its dialect, its mode and whom it is for.
pub(super) const LEFT_TO_CALLS: [&str; 5] = ["code_length", "life_minutes", "locale", "max_attempts", "number_check"];

/// The profile with what is in force where it leaves something open.
pub(super) fn in_force(profile: &ServiceProfile) -> ServiceProfile {
    let service = profile.service(None, &Service::default());
    let whole = |number: u64| u32::try_from(number).ok();
    let blocked_types = profile.numbers.blocked_types.clone().unwrap_or_else(|| NumberRules::BLOCKED_TYPES.into());
    ServiceProfile {
        max_life_minutes: whole(service.max_life.as_secs() / 60),
        resend_after_seconds: whole(service.resend_after.as_secs()),
        resend_policy: Some(service.resend),
        resend_unlocks: Some(service.resend_unlocks),
        all_failed: Some(service.all_failed),
        receipt_failover: Some(service.receipts.failover),
        receipt_wait_seconds: Some(Channel::ALL.map(|channel| (channel, service.receipts.waits.seconds(channel))).into()),
        numbers: NumberRules { blocked_types: Some(blocked_types), ..profile.numbers.clone() },
        never_share: Some(service.never_share),
        allow_code_only_check: Some(service.allow_code_only_check),
        wrong_code: Some(service.wrong_code),
        date_format: Some(service.date_format),
        ..profile.clone()
    }
}

/// `section` is where it stands: `session`, `services[0]`.
pub(super) fn problems(profile: &ServiceProfile, section: &str, found: &mut Vec<Problem>) {
    let flaws = profile.check(ServiceProfile::DEFAULT_MAX_LIFE_MINUTES);
    if !profile.test_recipients.is_empty() {
        // Their codes would stand in a file, and in every print of it.
        found.push(Problem::new(
            format!("{section}.test_recipients"),
            "must be set on a service, by the admin API or `countersign service`",
        ));
    }
    found.extend(flaws.into_iter().map(|flaw| Problem::new(format!("{section}.{}", flaw.field), flaw.must)));
}
