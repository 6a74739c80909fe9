use super::*;

fn facts(number: &str) -> NumberFacts {
    look(&PhoneNumber::parse(number).unwrap())
}

fn country_of(number: &str) -> String {
    facts(number).country.map_or_else(|| "none".to_owned(), |country| country.to_string())
}

fn passes_as(number: &str, check: NumberCheck) -> bool {
    facts(number).passes(check)
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
    assert!(passes_as("+390236618300", NumberCheck::Valid), "a leading zero belongs to a number in Italy");
    assert!(!passes_as("+11111111111", NumberCheck::Valid));
    assert!(!passes_as("+4402071838750", NumberCheck::Valid), "a trunk prefix does not belong to a number in E.164 form");
}

#[test]
fn a_line_has_one_spelling_and_with_the_prefix_of_calls_at_home_it_is_no_other_one() {
    for (spelt, line) in
        [("+49015112345678", "+4915112345678"), ("+4909001234567", "+499001234567"), ("+8109012345678", "+819012345678")]
    {
        let (twice, once) = (facts(spelt), facts(line));
        assert!(!twice.passes(NumberCheck::Possible), "{spelt}: {twice:?}");
        assert_eq!((twice.country, twice.kind), (once.country, once.kind), "{spelt}");
    }
    for own in ["+390236618300", "+4915112345678", "+78005553535", "+2250701234567"] {
        assert!(passes_as(own, NumberCheck::Possible), "{own}");
    }
}

#[test]
fn a_number_is_of_the_country_that_hands_it_out_where_several_share_a_code() {
    for (number, country) in [
        ("+12025550143", "US"),
        ("+14165550123", "CA"),
        ("+18765550123", "JM"),
        ("+18095550123", "DO"),
        ("+17875550123", "PR"),
        ("+13459492311", "KY"),
        ("+74951234567", "RU"),
        ("+79161234567", "RU"),
        ("+77012345678", "KZ"),
        ("+77172123456", "KZ"),
        ("+442071838750", "GB"),
        ("+441534765432", "JE"),
        ("+447797712345", "JE"),
        ("+441481960194", "GG"),
        ("+447781123456", "GG"),
        ("+441624756789", "IM"),
        ("+447624123456", "IM"),
        ("+390236618300", "IT"),
        ("+390669812345", "VA"),
        ("+4779123456", "SJ"),
        ("+4740612345", "NO"),
        ("+358401234567", "FI"),
        ("+61891641234", "CX"),
        ("+61412345678", "AU"),
        ("+212650123456", "MA"),
        ("+262639012345", "YT"),
        ("+590690001234", "GP"),
        ("+5999123456", "CW"),
        ("+5993181234", "BQ"),
        ("+919876543210", "IN"),
    ] {
        assert_eq!(country_of(number), country, "{number}");
    }
}

#[test]
fn a_number_of_no_country_or_of_one_that_nobody_knows_has_none() {
    for number in ["+80012345678", "+979123456789", "+881612345678", "+99912345678", "+19995550123"] {
        assert_eq!(country_of(number), "none", "{number}");
    }
}

#[test]
fn a_number_is_of_the_kind_that_its_plan_says() {
    for (number, kind) in [
        ("+12025550143", NumberKind::FixedOrMobile),
        ("+447400123456", NumberKind::Mobile),
        ("+442071838750", NumberKind::FixedLine),
        ("+18007233456", NumberKind::TollFree),
        ("+19002345678", NumberKind::PremiumRate),
        ("+449012345678", NumberKind::PremiumRate),
        ("+499001234567", NumberKind::PremiumRate),
        ("+979123456789", NumberKind::PremiumRate),
        ("+4918012345", NumberKind::SharedCost),
        ("+33820123456", NumberKind::SharedCost),
        ("+33801234567", NumberKind::TollFree),
        ("+445612345678", NumberKind::Voip),
        ("+447012345678", NumberKind::Personal),
        ("+447640123456", NumberKind::Pager),
        ("+445512345678", NumberKind::Uan),
        ("+11111111111", NumberKind::Unknown),
        ("+99912345678", NumberKind::Unknown),
    ] {
        assert_eq!(facts(number).kind, kind, "{number}");
    }
}

/// What the metadata gives as an example of a mobile or fixed line is looked up as a valid number of its own country, but for the few that share
/// whole ranges with the main one of their code. Lines of other kinds are shared by all countries under a code.
#[test]
fn every_example_of_the_metadata_is_a_valid_number() {
    let (mut seen, mut elsewhere) = (0, Vec::new());
    for metadata in phonenumber::metadata::DATABASE.iter() {
        let plan = metadata.descriptors();
        let lines = [(plan.mobile(), true), (plan.fixed_line(), true)];
        let others = [plan.premium_rate(), plan.toll_free(), plan.shared_cost(), plan.voip()].map(|kind| (kind, false));
        for (descriptor, is_line) in lines.into_iter().chain(others) {
            let Some(example) = descriptor.and_then(|descriptor| descriptor.example()) else { continue };
            let number = format!("+{}{example}", metadata.country_code());
            let Ok(parsed) = PhoneNumber::parse(&number) else { continue };
            let found = look(&parsed);
            seen += 1;
            assert!(found.valid && found.possible, "{number} of {}: {found:?}", metadata.id());
            let shares = ["AX", "BL", "CC", "CX", "EH", "IM", "MF", "SJ", "VA"].contains(&metadata.id());
            if is_line && !shares && found.country != metadata.id().parse().ok() {
                elsewhere.push((number, metadata.id(), found.country));
            }
        }
    }
    assert!(seen > 700, "{seen} examples");
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}
