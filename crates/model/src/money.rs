use std::collections::BTreeMap;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Neg, Sub};
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Channel, Flaw};

/// An amount in the installation's currency, in millionths. Written as a decimal text, `"0.0475"`; never a float.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

/// The text is not an amount with at most six decimals, or beyond [`Money::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an amount: digits with at most six decimals")]
pub struct InvalidMoney;

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount, either way: beyond it a store whose numbers are doubles would round.
    pub const MAX: Self = Self(9_000_000_000_000_000);
    const UNIT: i64 = 1_000_000;

    /// Of millionths; none beyond [`Money::MAX`] either way.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Option<Self> {
        if micros > Self::MAX.0 || micros < -Self::MAX.0 { None } else { Some(Self(micros)) }
    }

    /// In millionths.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Add for Money {
    type Output = Self;

    /// Stops at [`Money::MAX`].
    fn add(self, more: Self) -> Self {
        Self((self.0 + more.0).clamp(-Self::MAX.0, Self::MAX.0))
    }
}

impl Sub for Money {
    type Output = Self;

    /// Stops at [`Money::MAX`], below zero too.
    fn sub(self, less: Self) -> Self {
        self + -less
    }
}

impl Neg for Money {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Money {
    /// At least two decimals, at most six.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        let (whole, part) = (micros / Self::UNIT.unsigned_abs(), micros % Self::UNIT.unsigned_abs());
        let decimals = format!("{part:06}");
        let kept = decimals.trim_end_matches('0').len().max(2);
        write!(f, "{sign}{whole}.{}", &decimals[..kept])
    }
}

impl FromStr for Money {
    type Err = InvalidMoney;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
        let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |text: &str, most| (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if !plain(whole, 12) || !plain(part, 6) {
            return Err(InvalidMoney);
        }
        let whole: i64 = whole.parse().map_err(|_| InvalidMoney)?;
        let part: i64 = format!("{part:0<6}").parse().map_err(|_| InvalidMoney)?;
        let micros = whole.checked_mul(Self::UNIT).and_then(|micros| micros.checked_add(part)).ok_or(InvalidMoney)?;
        Self::from_micros(sign * micros).ok_or(InvalidMoney)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_i64(self.0) }
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            text.parse().map_err(D::Error::custom)
        } else {
            Self::from_micros(i64::deserialize(deserializer)?).ok_or_else(|| D::Error::custom(InvalidMoney))
        }
    }
}

/// What a message costs on one channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelPrice {
    /// Where no country's own price stands.
    pub default: Money,
    /// By ISO 3166 code of the number's country, in capitals.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub countries: BTreeMap<String, Money>,
}

/// What sending costs a tenant. What is not listed costs nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PriceList {
    /// Once a session, with its first accepted message.
    pub verification: Money,
    /// For each accepted message.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<Channel, ChannelPrice>,
}

impl PriceList {
    /// What one message costs; `country` is the number's, where it has one.
    #[must_use]
    pub fn message(&self, channel: Channel, country: Option<&str>) -> Money {
        let Some(price) = self.channels.get(&channel) else { return Money::ZERO };
        country.and_then(|country| price.countries.get(country)).copied().unwrap_or(price.default)
    }

    /// Everything that is no price, or no country.
    #[must_use]
    pub fn check(&self) -> Vec<Flaw> {
        const NEGATIVE: &str = "must not be negative";
        let mut found = Vec::new();
        if self.verification < Money::ZERO {
            found.push(Flaw::new("verification", NEGATIVE));
        }
        for (channel, price) in &self.channels {
            if price.default < Money::ZERO {
                found.push(Flaw::new(format!("channels.{channel}.default"), NEGATIVE));
            }
            for (country, amount) in &price.countries {
                let is_code = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
                if !is_code {
                    let must = "must be named by the two capitals of a country's ISO 3166 code";
                    found.push(Flaw::new(format!("channels.{channel}.countries"), must));
                } else if *amount < Money::ZERO {
                    found.push(Flaw::new(format!("channels.{channel}.countries.{country}"), NEGATIVE));
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_decimals_and_read_back() {
        for (micros, text) in [(0, "0.00"), (47_500, "0.0475"), (-1_000_001, "-1.000001"), (12_300_000, "12.30")] {
            let amount = Money::from_micros(micros).unwrap();
            assert_eq!(amount.to_string(), text);
            assert_eq!(text.parse::<Money>(), Ok(amount));
        }
        assert_eq!("5".parse::<Money>().unwrap().micros(), 5_000_000);
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "-", ".5", "1.", "1.0000001", "1e3", "+1", " 1", "1,5", "9999999999999", "--1"] {
            assert_eq!(text.parse::<Money>(), Err(InvalidMoney), "{text}");
        }
    }

    #[test]
    fn a_country_without_its_own_price_costs_the_channels() {
        let sms = ChannelPrice {
            default: "0.05".parse().unwrap(),
            countries: BTreeMap::from([("US".to_owned(), "0.01".parse().unwrap())]),
        };
        let prices = PriceList { verification: Money::ZERO, channels: BTreeMap::from([(Channel::Sms, sms)]) };
        let told = |channel, country| prices.message(channel, country).to_string();
        assert_eq!(
            [told(Channel::Sms, Some("US")), told(Channel::Sms, Some("DE")), told(Channel::Email, None)],
            ["0.01", "0.05", "0.00"]
        );
    }

    #[test]
    fn a_price_below_nothing_and_a_country_that_is_none_are_told() {
        let less: Money = "-0.01".parse().unwrap();
        let countries =
            BTreeMap::from([("US".to_owned(), less), ("usa".to_owned(), Money::ZERO), ("DE".to_owned(), Money::ZERO)]);
        let prices = PriceList {
            verification: less,
            channels: BTreeMap::from([(Channel::Sms, ChannelPrice { default: less, countries })]),
        };
        let found: Vec<_> = prices.check().into_iter().map(|flaw| flaw.field).collect();
        assert_eq!(found, ["verification", "channels.sms.default", "channels.sms.countries.US", "channels.sms.countries"]);
        assert_eq!(PriceList::default().check(), Vec::new());
    }
}
