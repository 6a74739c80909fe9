//! The names of languages, BCP 47 tags, and which serve for which: from the one that was asked for to wider ones.

/// What [`is_language_tag`] asks for, after "must be".
pub const LANGUAGE_TAG: &str = "a BCP 47 language tag such as en or pt-BR";

/// Most bytes of one.
const LONGEST: usize = 64;

/// Languages whose readers also read another, by subtags of ISO 639: superseded names, and names of one standard of a language.
const ALSO: [(&str, &[&str]); 18] = [
    ("bs", &["hr", "sr-Latn"]),
    ("cmn", &["zh", "zh-Hans"]),
    ("fil", &["tl"]),
    ("he", &["iw"]),
    ("id", &["in"]),
    ("in", &["id"]),
    ("iw", &["he"]),
    ("mo", &["ro"]),
    ("nb", &["no"]),
    ("nn", &["no", "nb"]),
    ("no", &["nb"]),
    ("prs", &["fa"]),
    ("ro", &["mo"]),
    ("sh", &["sr-Latn", "sr"]),
    ("tl", &["fil"]),
    ("yue", &["zh-Hant", "zh"]),
    ("zh", &["zh-Hans"]),
    ("zsm", &["ms"]),
];

/// Regions that write a language in another script than most of its readers do.
const SCRIPTS: [(&str, &str, &str); 5] =
    [("sr", "ME", "sr-Latn"), ("zh", "HK", "zh-Hant"), ("zh", "MO", "zh-Hant"), ("zh", "TW", "zh-Hant"), ("zh", "SG", "zh-Hans")];

/// Whether a text has the form of a BCP 47 tag; it need not be registered. Subtags of 1 to 8 letters and digits; the first a language of 2 to
/// 8 letters, or `x` for private use. A single letter opens an extension, so something must follow it.
#[must_use]
pub fn is_language_tag(text: &str) -> bool {
    let (mut private, mut open) = (false, false);
    for (position, subtag) in text.split('-').enumerate() {
        let sound = (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_x = subtag.eq_ignore_ascii_case("x");
        let language = subtag.len() > 1 && subtag.bytes().all(|byte| byte.is_ascii_alphabetic());
        let singleton = subtag.len() == 1 && !private;
        if !sound || (position == 0 && !is_x && !language) || (singleton && open) {
            return false;
        }
        private |= is_x;
        open = singleton;
    }
    !open && text.len() <= LONGEST
}

/// The tag, then wider ones, closest first (RFC 4647, section 3.4): `pt-BR`, then `pt`. A region tells the script where a language has two
/// (`zh-TW`, `zh-Hant`, `zh`), and what a language is called otherwise comes last (`no`, then `nb`).
///
/// Takes any text; what is no language tag serves nobody, which whoever looks for words finds out by finding none.
#[must_use]
pub fn wider_tags(tag: &str) -> Vec<String> {
    let tag = tag.replace('_', "-");
    let subtags: Vec<&str> = tag.split('-').collect();
    let is = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    let mut tags: Vec<String> = Vec::with_capacity(4);
    for length in (1..=subtags.len()).rev() {
        // A single letter only introduces what has just been cut off.
        if length == subtags.len() || subtags[length - 1].len() > 1 {
            add(&mut tags, &subtags[..length].join("-"));
        }
        let region = if length == 2 { subtags[1] } else { "" };
        if let Some((.., written)) = SCRIPTS.iter().find(|(language, of, _)| is(language, subtags[0]) && is(of, region)) {
            add(&mut tags, written);
        }
    }
    // Who reads the traditional script is not given the simplified one.
    let is_traditional = tags.iter().any(|tag| is(tag, "zh-Hant"));
    if let Some((_, others)) = ALSO.iter().find(|(language, _)| !is_traditional && is(language, subtags[0])) {
        others.iter().for_each(|other| add(&mut tags, other));
    }
    tags
}

fn add(tags: &mut Vec<String>, tag: &str) {
    if !tags.iter().any(|known| known.eq_ignore_ascii_case(tag)) {
        tags.push(tag.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_tags_are_judged_by_their_form() {
        for tag in ["en", "pt-BR", "zh-Hant-TW", "de-CH-1996", "sr-Latn-RS", "x-pirate", "en-x-a", "en-u-ca-buddhist"] {
            assert!(is_language_tag(tag), "{tag}");
        }
        for wrong in
            ["", "e", "en_US", "en-", "-en", "english1", "123", "en--US", "en-verylongsubtag", "x", "x-", "en-u", "en us"]
        {
            assert!(!is_language_tag(wrong), "{wrong}");
        }
        assert!(is_language_tag(&format!("en{}", "-abcdefg".repeat(7))));
        assert!(!is_language_tag(&format!("en{}", "-abcdefg".repeat(8))));
    }

    #[test]
    fn a_tag_is_cut_from_its_end_and_a_single_letter_goes_with_what_it_introduced() {
        assert_eq!(wider_tags("pt-BR"), ["pt-BR", "pt"]);
        assert_eq!(wider_tags("de_AT"), ["de-AT", "de"]);
        assert_eq!(wider_tags("en-Latn-GB-x-private"), ["en-Latn-GB-x-private", "en-Latn-GB", "en-Latn", "en"]);
        assert_eq!(wider_tags("zh-Hant-TW"), ["zh-Hant-TW", "zh-Hant", "zh"]);
        for odd in ["", "-", "--", "x", "ünïcode-ß"] {
            assert_eq!(wider_tags(odd)[0], odd);
        }
    }

    #[test]
    fn a_region_tells_the_script_before_the_bare_language_does() {
        assert_eq!(wider_tags("zh-TW"), ["zh-TW", "zh-Hant", "zh"]);
        assert_eq!(wider_tags("zh-hk")[1], "zh-Hant");
        assert_eq!(wider_tags("zh-CN"), ["zh-CN", "zh", "zh-Hans"]);
        assert_eq!(wider_tags("sr-ME"), ["sr-ME", "sr-Latn", "sr"]);
        assert_eq!(wider_tags("sr-Latn-RS"), ["sr-Latn-RS", "sr-Latn", "sr"]);
    }

    #[test]
    fn a_language_is_found_under_its_old_and_its_new_name() {
        for (old, new) in [("no", "nb"), ("iw", "he"), ("tl", "fil"), ("in", "id"), ("mo", "ro")] {
            assert_eq!(wider_tags(old), [old, new]);
            assert_eq!(wider_tags(new), [new, old]);
        }
        assert_eq!(wider_tags("NO-no"), ["NO-no", "NO", "nb"]);
        assert_eq!(wider_tags("nn"), ["nn", "no", "nb"]);
    }

    #[test]
    fn no_tag_is_named_twice() {
        for (language, _) in ALSO {
            let tags = wider_tags(language);
            assert!(tags.iter().enumerate().all(|(index, tag)| !tags[..index].contains(tag)), "{tags:?}");
        }
    }
}
