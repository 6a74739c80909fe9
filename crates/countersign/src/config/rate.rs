use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use countersign_model::Limit;
use serde::{Deserialize, Serialize};

/// A limit as an operator writes it: `20/24h` is 20 in any stretch of 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate(Limit);

/// The text is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a limit is a number above 0, a slash and a time, such as 1000/1m (units: s, m, h, d)")]
pub struct InvalidRate;

impl Rate {
    /// `max` in any stretch of `seconds`.
    pub(super) const fn new(max: u32, seconds: u64) -> Self {
        Self(Limit { max, window: Duration::from_secs(seconds) })
    }

    /// The limit it stands for.
    #[must_use]
    pub const fn limit(self) -> Limit {
        self.0
    }
}

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (max, window) = text.split_once('/').ok_or(InvalidRate)?;
        let max = max.trim().parse().ok().filter(|max| *max > 0).ok_or(InvalidRate)?;
        let window = parse_span(window.trim()).ok_or(InvalidRate)?;
        Ok(Self(Limit { max, window }))
    }
}

/// A number and its unit, `90d`; a unit alone is one of it. At most ten years, above zero.
pub(crate) fn parse_span(text: &str) -> Option<Duration> {
    const TEN_YEARS: u64 = 3_653 * 86_400;
    let unit = text.chars().last()?;
    let number = &text[..text.len() - unit.len_utf8()];
    let number: u64 = if number.is_empty() { 1 } else { number.parse().ok()? };
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    number.checked_mul(seconds).filter(|span| (1..=TEN_YEARS).contains(span)).map(Duration::from_secs)
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.window.as_secs();
        let (number, unit) = match seconds {
            whole if whole % 3_600 == 0 => (whole / 3_600, 'h'),
            whole if whole % 60 == 0 => (whole / 60, 'm'),
            whole => (whole, 's'),
        };
        write!(f, "{}/{number}{unit}", self.0.max)
    }
}

impl TryFrom<String> for Rate {
    type Error = InvalidRate;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_read_and_shown_in_the_same_words() {
        for text in ["1000/1m", "5/5m", "20/24h", "7/90s"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        assert_eq!("20/1d".parse::<Rate>().unwrap(), Rate::new(20, 86_400));
        assert_eq!("9/h".parse::<Rate>().unwrap(), Rate::new(9, 3_600));
    }

    #[test]
    fn half_a_limit_is_refused() {
        for text in ["", "5", "5/", "/5m", "0/5m", "5/0m", "5/5", "5/5y", "-1/5m", "5/99999999d", "5/5é"] {
            assert_eq!(text.parse::<Rate>(), Err(InvalidRate), "{text}");
        }
    }
}
