use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A provider in a list: its name, or its name and how often it is drawn.
///
/// As soon as one entry of a list has a weight, the order of tries is drawn anew for each message, by weights; entries without one count 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ProviderRef {
    /// `"twilio"`.
    Named(String),
    /// `{ name = "twilio", weight = 3 }`.
    Weighted(Weighted),
}

/// An entry with a weight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weighted {
    /// Whom.
    pub name: String,
    /// Its share of first tries, against the other weights of the list; 1 to 1000.
    pub weight: u32,
}

impl ProviderRef {
    /// The provider's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::Weighted(weighted) => &weighted.name,
        }
    }

    /// The weight, where one is given.
    #[must_use]
    pub const fn weight(&self) -> Option<u32> {
        match self {
            Self::Named(_) => None,
            Self::Weighted(weighted) => Some(weighted.weight),
        }
    }
}

/// By hand: serde's own way to read what may have two forms does not say which key of it is wrong.
impl<'de> Deserialize<'de> for ProviderRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Entry)
    }
}

struct Entry;

impl<'de> Visitor<'de> for Entry {
    type Value = ProviderRef;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a provider's name, or { name, weight }")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<ProviderRef, E> {
        Ok(name.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<ProviderRef, A::Error> {
        Weighted::deserialize(MapAccessDeserializer::new(keys)).map(ProviderRef::Weighted)
    }
}

impl From<&str> for ProviderRef {
    fn from(name: &str) -> Self {
        Self::Named(name.to_owned())
    }
}

impl fmt::Display for ProviderRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// `[[channels.<channel>.routes]]`: providers of their own for some of a channel's messages. The first route that fits is taken; where none
/// does, the channel's own list is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouteConfig {
    /// Two-letter codes of the countries of numbers; empty: any, and numbers of no country.
    pub countries: Vec<String>,
    /// Ids of tenants; empty: any.
    pub tenants: Vec<String>,
    /// Ids of services; empty: any, and sends without one.
    pub services: Vec<String>,
    /// Who is tried. Those of the channel's own list are not tried after them.
    pub providers: Vec<ProviderRef>,
}

/// `[delivery.breaker]`: when a provider is passed over, and when it is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerConfig {
    /// So many failures in a row open the circuit; 1 to 1000.
    pub failures: u32,
    /// Or as many out of a hundred of the last `window` tries; 1 to 100.
    pub percent: u32,
    /// Tries over which `percent` is taken, not before there were so many; 5 to 1000.
    pub window: u32,
    /// After so long one message at a time tries the provider again. Twice as long each time that fails, up to eight times; 0 to 600.
    pub pause_seconds: u64,
    /// So many of those must succeed, one after the other, before the circuit is closed; 1 to 100.
    pub probes: u32,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self { failures: 5, percent: 50, window: 20, pause_seconds: 10, probes: 2 }
    }
}
