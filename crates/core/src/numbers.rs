//! What a phone number is, by the numbering plans' metadata.

mod plans;

use countersign_model::{Country, NumberCheck, NumberKind, PhoneNumber};

/// What the plans know of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NumberFacts {
    /// Whose it is; none where its code belongs to no country, or to several and no plan of them knows it.
    pub(crate) country: Option<Country>,
    /// What kind of line.
    pub(crate) kind: NumberKind,
    /// Whether a known country's code is followed by as many digits as some kind of number there has.
    pub(crate) possible: bool,
    /// Whether the plan hands such numbers out.
    pub(crate) valid: bool,
}

/// Looks a number up. A send does it once a number: it costs some microseconds, and a plan's first number some milliseconds.
pub(crate) fn look(number: &PhoneNumber) -> NumberFacts {
    plans::look(number.as_str().trim_start_matches('+'))
}

/// The country that a number belongs to; see [`NumberFacts::country`].
pub(crate) fn country(number: &PhoneNumber) -> Option<Country> {
    look(number).country
}

impl NumberFacts {
    /// Holds the number against `check`.
    pub(crate) const fn passes(self, check: NumberCheck) -> bool {
        match check {
            NumberCheck::Syntax => true,
            NumberCheck::Possible => self.possible,
            NumberCheck::Valid => self.valid,
        }
    }
}

#[cfg(test)]
mod tests;
