//! What most people read, country by country.

use countersign_model::Country;

/// Language, and the countries where it is what most people read official texts in. A country where no one language is (Belgium, India) is not
/// there, nor is one that nobody lives in.
const LANGUAGES: [(&str, &str); 76] = [
    ("am", "ET"),
    ("ar", "AE BH DZ EG EH IQ JO KW LB LY MA MR OM PS QA SA SD SY TN YE"),
    ("az", "AZ"),
    ("bg", "BG"),
    ("bn", "BD"),
    ("bs", "BA"),
    ("ca", "AD"),
    ("cs", "CZ"),
    ("da", "DK FO GL"),
    ("de", "AT CH DE LI"),
    ("dv", "MV"),
    ("dz", "BT"),
    ("el", "CY GR"),
    (
        "en",
        "AC AG AI AS AU BB BM BS BW BZ CA CC CK CX DM FJ FK FM GB GD GG GH GI GM GU GY IE IM IO JE JM KI KN KY LC LR MH MP MS MU MW NA NF NG NR \
         NU NZ PG PN SB SC SG SH SL SS SX TA TC TK TT TV UG UM US VC VG VI VU ZA ZM ZW",
    ),
    ("es", "AR BO CL CO CR CU DO EA EC ES GQ GT HN IC MX NI PA PE PR PY SV UY VE"),
    ("et", "EE"),
    ("fa", "AF IR"),
    ("fi", "FI"),
    ("fil", "PH"),
    ("fr", "BF BJ BL CD CF CG CI CM DJ FR GA GF GN GP KM LU MC MF ML MQ NC NE PF PM RE SN TD TG WF YT"),
    ("he", "IL"),
    ("hr", "HR"),
    ("ht", "HT"),
    ("hu", "HU"),
    ("hy", "AM"),
    ("id", "ID"),
    ("is", "IS"),
    ("it", "IT SM VA"),
    ("ja", "JP"),
    ("ka", "GE"),
    ("km", "KH"),
    ("ko", "KP KR"),
    ("ky", "KG"),
    ("lo", "LA"),
    ("lt", "LT"),
    ("lv", "LV"),
    ("mg", "MG"),
    ("mk", "MK"),
    ("mn", "MN"),
    ("ms", "BN MY"),
    ("mt", "MT"),
    ("my", "MM"),
    ("nb", "BV NO SJ"),
    ("ne", "NP"),
    ("nl", "AW BQ CW NL SR"),
    ("pl", "PL"),
    ("pt", "AO CV GW MZ PT ST TL"),
    ("pt-BR", "BR"),
    ("rn", "BI"),
    ("ro", "MD RO"),
    ("ru", "BY KZ RU"),
    ("rw", "RW"),
    ("si", "LK"),
    ("sk", "SK"),
    ("sl", "SI"),
    ("sm", "WS"),
    ("so", "SO"),
    ("sq", "AL XK"),
    ("sr", "RS"),
    ("sr-Latn", "ME"),
    ("ss", "SZ"),
    ("st", "LS"),
    ("sv", "AX SE"),
    ("sw", "KE TZ"),
    ("tg", "TJ"),
    ("th", "TH"),
    ("ti", "ER"),
    ("tk", "TM"),
    ("to", "TO"),
    ("tr", "TR"),
    ("uk", "UA"),
    ("ur", "PK"),
    ("uz", "UZ"),
    ("vi", "VN"),
    ("zh-Hans", "CN"),
    ("zh-Hant", "HK MO TW"),
];

/// What most people read in `country`; none: no one language, or not known.
pub(super) fn main_language(country: Country) -> Option<&'static str> {
    let holds = |countries: &str| countries.split(' ').any(|code| code == country.as_str());
    LANGUAGES.iter().find(|(_, countries)| holds(countries)).map(|(language, _)| *language)
}

#[cfg(test)]
mod tests {
    use countersign_model::is_language_tag;

    use super::*;

    #[test]
    fn every_country_stands_once_and_under_a_language() {
        let mut all: Vec<&str> = Vec::new();
        for (language, countries) in LANGUAGES {
            assert!(is_language_tag(language), "{language}");
            for code in countries.split(' ') {
                assert!(code.parse::<Country>().is_ok_and(|country| country.as_str() == code), "{language}: {code:?}");
                assert!(!all.contains(&code), "{code} stands twice");
                all.push(code);
                assert_eq!(main_language(code.parse().unwrap()), Some(language));
            }
        }
        assert!(LANGUAGES.is_sorted_by_key(|(language, _)| *language));
        assert!(all.len() > 230, "{}", all.len());
    }

    #[test]
    fn a_language_with_two_scripts_comes_in_the_one_that_the_country_writes() {
        let of = |code: &str| main_language(code.parse().unwrap());
        assert_eq!((of("CN"), of("TW"), of("HK")), (Some("zh-Hans"), Some("zh-Hant"), Some("zh-Hant")));
        assert_eq!((of("BR"), of("PT"), of("BE"), of("AQ")), (Some("pt-BR"), Some("pt"), None, None));
    }
}
