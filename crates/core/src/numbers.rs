//! Whether a phone number can exist, by the numbering plans' metadata.

use countersign_model::{NumberCheck, PhoneNumber};
use phonenumber::metadata::{DATABASE, Metadata};

/// Holds a number in E.164 form against `check`.
pub(crate) fn passes(number: &PhoneNumber, check: NumberCheck) -> bool {
    match check {
        NumberCheck::Syntax => true,
        NumberCheck::Possible => is_possible(number.as_str()),
        NumberCheck::Valid => phonenumber::parse(None, number.as_str()).is_ok_and(|parsed| parsed.is_valid()),
    }
}

/// A known country code, followed by as many digits as some kind of number there has.
fn is_possible(e164: &str) -> bool {
    let digits = e164.trim_start_matches('+');
    (1..=3).filter(|length| digits.len() > *length).any(|length| {
        let (code, national) = digits.split_at(length);
        let regions = code.parse::<u16>().ok().and_then(|code| DATABASE.by_code(&code)).unwrap_or_default();
        regions.iter().any(|region| lengths(region).any(|fits| usize::from(fits) == national.len()))
    })
}

/// How long the numbers of a region may be, without its country code.
fn lengths(region: &Metadata) -> impl Iterator<Item = u16> + '_ {
    let plans = region.descriptors();
    let kinds = [
        Some(plans.general()),
        plans.fixed_line(),
        plans.mobile(),
        plans.toll_free(),
        plans.premium_rate(),
        plans.shared_cost(),
        plans.personal_number(),
        plans.voip(),
        plans.pager(),
        plans.uan(),
        plans.voicemail(),
    ];
    kinds.into_iter().flatten().flat_map(|plan| plan.possible_length().iter().copied())
}

/// The country that a number belongs to, as an ISO 3166 code; none where its code belongs to no country or to several at once.
pub(crate) fn country(number: &PhoneNumber) -> Option<String> {
    let parsed = phonenumber::parse(None, number.as_str()).ok()?;
    parsed.country().id().map(|id| id.as_ref().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes_as(number: &str, check: NumberCheck) -> bool {
        passes(&PhoneNumber::parse(number).unwrap(), check)
    }

    #[test]
    fn syntax_takes_every_e164_number() {
        assert!(passes_as("+1234567890", NumberCheck::Syntax));
    }

    #[test]
    fn possible_asks_for_a_known_country_and_a_length_of_it() {
        assert!(passes_as("+12025550143", NumberCheck::Possible));
        assert!(passes_as("+442071234567", NumberCheck::Possible));
        assert!(!passes_as("+1202555", NumberCheck::Possible), "too short for its country");
        assert!(!passes_as("+120255501431", NumberCheck::Possible), "too long for its country");
        assert!(!passes_as("+99912345678", NumberCheck::Possible), "no such country");
    }

    #[test]
    fn valid_asks_for_a_number_that_is_handed_out() {
        assert!(passes_as("+442071838750", NumberCheck::Valid));
        assert!(!passes_as("+11111111111", NumberCheck::Valid));
    }
}
