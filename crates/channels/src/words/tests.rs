use countersign_model::{Autofill, Channel, Outgoing, is_language_tag, is_steering};

use super::*;
use crate::provider::Content;
use crate::render::{RenderError, Renderer};
use crate::segments::{Encoding, Segments};
use crate::testing::{outgoing, rendered};
use crate::voice::VoicePart;

const CODE: &str = "482913";
const SPOKEN: &str = "4, 8, 2, 9, 1, 3";
/// As long as a name may be for a short text to fit one message in every script.
const NAME: &str = "Countersign1";

/// Languages whose text message with name, minutes and warning is written in the GSM alphabet: one message holds 160 characters of it. The
/// others are in Unicode, 70 characters a message.
const GSM: [&str; 21] = [
    "en", "af", "ca", "da", "de", "es", "et", "fi", "fil", "fr", "hr", "id", "it", "ms", "nb", "nl", "pl", "sl", "sr-Latn", "sv",
    "sw",
];

/// The same for Turkish, which is apart because its words are chosen for it.
const GSM_BY_CHOICE: [&str; 1] = ["tr"];

/// Languages whose full text does not fit one message beside a name of twelve characters and the warning; their short text does.
const LONGER_THAN_ONE: [&str; 0] = [];

fn message(tag: &str, channel: Channel, change: impl FnOnce(&mut Outgoing)) -> Outgoing {
    let mut message = outgoing(channel);
    message.locale = tag.to_owned();
    message.app_name = NAME.to_owned();
    change(&mut message);
    message
}

fn said(tag: &str, channel: Channel, change: impl FnOnce(&mut Outgoing)) -> String {
    rendered(message(tag, channel, change)).text().to_owned()
}

fn mail(tag: &str, change: impl FnOnce(&mut Outgoing)) -> (String, String, String) {
    match rendered(message(tag, Channel::Email, change)).content {
        Content::Email { subject, text, html } => (subject, text, html),
        Content::Phone { .. } => panic!("a mail was asked for"),
    }
}

/// Every text of a language that a person may be shown or told, with what it is.
fn texts(tag: &str, app: &str, minutes: u32) -> Vec<(&'static str, String)> {
    let change = |message: &mut Outgoing| (message.app_name, message.minutes) = (app.to_owned(), minutes);
    let facts = Facts { code: CODE, app, minutes, never_share: true };
    let (subject, text, html) = mail(tag, change);
    let call = rendered(message(tag, Channel::Voice, change));
    let press = call.voice.map(|script| script.press).unwrap();
    let call = said(tag, Channel::Voice, change);
    vec![
        ("sms", said(tag, Channel::Sms, change)),
        ("short sms", lookup(tag).short_sms(&facts)),
        ("whatsapp", said(tag, Channel::Whatsapp, change)),
        ("voice", call),
        ("press a key", press),
        ("subject", subject),
        ("mail text", text),
        ("mail html", html),
    ]
}

fn of_right_to_left_script(c: char) -> bool {
    matches!(c, '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}')
}

#[test]
fn there_are_more_than_forty_languages_and_each_is_named_by_a_tag_once() {
    let tags: Vec<&str> = built_in_languages().collect();
    assert!(tags.len() >= 45, "{}", tags.len());
    assert_eq!(tags[0], "en");
    assert!(tags[1..].is_sorted(), "{tags:?}");
    for (index, tag) in tags.iter().enumerate() {
        assert!(is_language_tag(tag) && !tags[..index].contains(tag), "{tag}");
        assert_eq!(lookup(tag).tag, *tag);
        assert_eq!(rendered(message(tag, Channel::Sms, |_| {})).locale, *tag);
    }
}

#[test]
fn a_tag_without_words_of_its_own_falls_back_to_a_wider_one_and_at_last_to_english() {
    for (asked, chosen) in [
        ("EN", "en"),
        ("en_US", "en"),
        ("de-AT", "de"),
        ("pt-BR", "pt-BR"),
        ("pt-AO", "pt"),
        ("zh", "zh-Hans"),
        ("zh-TW", "zh-Hant"),
        ("zh-HK", "zh-Hant"),
        ("zh-Hant-TW", "zh-Hant"),
        ("zh-CN", "zh-Hans"),
        ("sr-Latn-RS", "sr-Latn"),
        ("sr-Cyrl", "sr"),
        ("no", "nb"),
        ("nn-NO", "nb"),
        ("iw", "he"),
        ("tl", "fil"),
        ("in-ID", "id"),
    ] {
        assert_eq!(built_in_language(asked), Some(chosen), "{asked}");
        assert_eq!(lookup(asked).tag, chosen, "{asked}");
    }
    for tag in ["xx", "xx-DE", "", "-", "--", "x", "ünïcode-ß"] {
        assert_eq!(built_in_language(tag), None, "{tag}");
        assert_eq!(lookup(tag).tag, "en", "{tag}");
    }
}

#[test]
fn every_text_holds_its_code_as_often_as_it_should() {
    for tag in built_in_languages() {
        for (what, text) in texts(tag, NAME, 10) {
            let (whole, digits) = match what {
                "voice" => (0, 2),
                "press a key" | "subject" => (0, 0),
                // The list of mails shows it, and the mail itself.
                "mail html" => (2, 0),
                _ => (1, 0),
            };
            assert_eq!(text.matches(CODE).count(), whole, "{tag}, {what}: {text}");
            assert_eq!(text.matches(SPOKEN).count(), digits, "{tag}, {what}: {text}");
        }
    }
}

#[test]
fn every_text_names_who_sends_it_and_says_how_long_the_code_lives() {
    for tag in built_in_languages() {
        for (what, text) in texts(tag, NAME, 37) {
            assert!(text.contains(NAME), "{tag}, {what}: {text}");
            let tells_time = !matches!(what, "press a key" | "subject");
            assert_eq!(text.contains("37"), tells_time, "{tag}, {what}: {text}");
        }
    }
}

#[test]
fn no_text_shows_the_syntax_it_was_made_with_or_reads_as_if_something_were_missing() {
    for tag in built_in_languages() {
        for app in [NAME, ""] {
            for (what, text) in texts(tag, app, 10).into_iter().filter(|(what, _)| *what != "mail html") {
                for unwanted in ["{", "}", "[", "]", "|", "  ", " .", "()", "( ", " )", ": .", ",,", "..", "。。", "。 ", " 。"]
                {
                    assert!(!text.contains(unwanted), "{tag}, {what}, {unwanted:?}: {text}");
                }
                assert!(!text.trim_end().ends_with([' ', ',', '-', '(']), "{tag}, {what}: {text}");
                assert!(text.lines().all(|line| line == line.trim()), "{tag}, {what}: {text}");
            }
        }
    }
}

#[test]
fn every_word_for_minutes_goes_with_its_number() {
    for language in LANGUAGES.iter() {
        assert!(language.words.minutes.fit(language.words.plural), "{}", language.tag);
    }
    let time = |tag: &str, n: u32| lookup(tag).words.minutes.say(lookup(tag).words.plural, n);
    let table = [
        ("en", 1, "1 minute"),
        ("ru", 1, "1 минуту"),
        ("ru", 22, "22 минуты"),
        ("ru", 11, "11 минут"),
        ("pl", 3, "3 minuty"),
        ("pl", 21, "21 minut"),
        ("cs", 5, "5 minut"),
        ("ar", 2, "دقيقتين"),
        ("ar", 5, "5 دقائق"),
        ("ar", 15, "15 دقيقة"),
        ("he", 2, "שתי דקות"),
        ("ro", 20, "20 de minute"),
        ("lt", 21, "21 minutę"),
        ("sl", 2, "2 minuti"),
        ("lv", 31, "31 minūti"),
        ("ja", 1, "1分"),
    ];
    for (tag, n, expected) in table {
        assert_eq!(time(tag, n), expected, "{tag}");
    }
}

#[test]
fn a_text_message_fits_one_where_the_script_allows() {
    let mut longer = Vec::new();
    for tag in built_in_languages() {
        let size = Segments::of(&said(tag, Channel::Sms, |_| {}));
        let in_gsm = GSM.contains(&tag) || GSM_BY_CHOICE.contains(&tag);
        assert_eq!(size.encoding == Encoding::Gsm7, in_gsm, "{tag}: {}", said(tag, Channel::Sms, |_| {}));
        if size.count > 1 {
            longer.push(tag);
        }
    }
    assert_eq!(longer, LONGER_THAN_ONE);
}

#[test]
fn a_short_text_fits_one_message_in_every_language_whatever_the_minutes_and_the_length_of_the_code() {
    for language in LANGUAGES.iter() {
        for (code, minutes) in [("4829", 1), ("4829130756", 60), ("482913", 1440)] {
            let text = language.short_sms(&Facts { code, app: NAME, minutes, never_share: true });
            assert_eq!(Segments::of(&text).count, 1, "{}: {text}", language.tag);
        }
    }
}

#[test]
fn the_last_line_stays_last_and_whole_in_every_language() {
    let domain = Autofill { domain: Some("login.example.com".to_owned()), app_hash: None };
    let hash = Autofill { domain: None, app_hash: Some("FA+9qCX9VSu".to_owned()) };
    for tag in built_in_languages() {
        for name in [NAME, "A name that is as long as sixty-four characters may ever be, so"] {
            let text = |autofill: &Autofill| {
                said(tag, Channel::Sms, |message| (message.app_name, message.autofill) = (name.to_owned(), autofill.clone()))
            };
            let to_domain = text(&domain);
            assert!(to_domain.ends_with("\n\n@login.example.com #482913"), "{tag}: {to_domain}");
            assert!(Segments::of(&to_domain).count <= 2, "{tag}: {to_domain}");
            let to_app = text(&hash);
            assert!(to_app.ends_with("\n\nFA+9qCX9VSu") && to_app.len() <= 140, "{tag}: {} {to_app}", to_app.len());
            assert_eq!((to_domain.lines().count(), to_app.lines().count()), (3, 3), "{tag}");
        }
        let (_, text, _) = mail(tag, |message| message.autofill = domain.clone());
        assert_eq!(text.lines().last(), Some("@login.example.com #482913"), "{tag}: {text}");
    }
}

#[test]
fn the_last_line_fits_one_message_even_where_only_the_shortest_words_do() {
    for tag in built_in_languages() {
        let message = message(tag, Channel::Sms, |message| {
            message.autofill = Autofill { domain: Some("example.com".to_owned()), app_hash: None };
        });
        let text = Renderer::new(1).render(message).map(|message| message.text().to_owned());
        assert!(
            text.as_ref().is_ok_and(|text| Segments::of(text).count == 1),
            "{tag}: {:?}",
            text.err().map(|error: RenderError| error)
        );
    }
}

#[test]
fn a_service_can_switch_the_warning_off_and_nothing_else_goes_with_it() {
    for tag in built_in_languages() {
        for channel in Channel::ALL {
            let (with, without) = (said(tag, channel, |_| {}), said(tag, channel, |message| message.never_share = false));
            assert!(without.chars().count() < with.chars().count(), "{tag}, {channel}: {without}");
            assert!(!without.contains("  ") && without.contains(NAME), "{tag}, {channel}: {without}");
        }
        let words = &lookup(tag).words;
        let facts = Facts { code: CODE, app: NAME, minutes: 10, never_share: false };
        let warning = lookup(tag).say(&words.never_share, &facts);
        let (_, text, html) = mail(tag, |message| message.never_share = false);
        assert!(!text.contains(&warning) && !html.contains(&warning), "{tag}: {text}");
        let (_, text, html) = mail(tag, |_| {});
        assert!(text.contains(&warning) && html.contains(&html_of(&warning)), "{tag}: {text}");
    }
}

/// As the template engine writes it.
fn html_of(text: &str) -> String {
    text.replace('&', "&amp;").replace('\'', "&#x27;").replace('"', "&quot;")
}

#[test]
fn a_call_says_the_digits_slowly_twice_and_asks_for_a_key_without_telling_them() {
    for tag in built_in_languages() {
        let call = rendered(message(tag, Channel::Voice, |_| {}));
        let script = call.voice.as_ref().unwrap();
        let kinds: Vec<bool> = script.parts.iter().map(|part| matches!(part, VoicePart::Digits(_))).collect();
        assert_eq!(kinds, [false, true, false, true, false], "{tag}: {}", call.text());
        for part in &script.parts {
            match part {
                VoicePart::Digits(digits) => assert_eq!(digits, SPOKEN),
                VoicePart::Words(words) => assert!(!words.contains(['4', '8', '9']) && !words.is_empty(), "{tag}: {words}"),
            }
        }
        assert!(!script.press.contains(SPOKEN) && script.press.contains(NAME), "{tag}: {}", script.press);
    }
}

#[test]
fn right_to_left_languages_say_so_and_hold_no_marks_that_would_break_autofill() {
    for tag in ["ar", "fa", "he", "ur"] {
        let (_, _, html) = mail(tag, |_| {});
        assert!(html.contains(&format!("<html lang=\"{tag}\" dir=\"rtl\" ")), "{html}");
        assert!(html.contains("class=\"card\" dir=\"rtl\"") && html.contains("class=\"code\" dir=\"ltr\""), "{html}");
        for (what, text) in texts(tag, NAME, 10).into_iter().filter(|(what, _)| *what != "mail html") {
            let first = text.chars().find(|c| c.is_alphabetic()).unwrap();
            assert!(of_right_to_left_script(first), "{tag}, {what} begins like a left-to-right text: {text}");
        }
    }
    for tag in built_in_languages() {
        for (what, text) in texts(tag, NAME, 10) {
            assert!(!text.chars().any(|c| is_steering(c) && c != '\n'), "{tag}, {what}: {text:?}");
        }
        assert_eq!(direction(tag) == "rtl", ["ar", "fa", "he", "ur"].contains(&tag), "{tag}");
    }
    assert_eq!((direction("ar-EG"), direction("de-AT"), direction("xx")), ("rtl", "ltr", "auto"));
}

#[test]
fn every_mail_keeps_to_what_mail_programs_can_show() {
    for tag in built_in_languages() {
        let (subject, text, html) = mail(tag, |message| {
            message.autofill = Autofill { domain: Some("example.com".to_owned()), app_hash: None };
        });
        // Gmail cuts a mail off at 102 KB.
        assert!(html.len() < 20_000, "{tag}: {}", html.len());
        assert!(!subject.contains('\n') && subject.chars().count() <= 78, "{tag}: {subject}");
        assert!(text.lines().all(|line| line.len() <= 998), "{tag}: {text}");
        for expected in [
            "<meta name=\"color-scheme\" content=\"light dark\">",
            "@media (prefers-color-scheme: dark)",
            "max-width:600px",
            "mso-hide:all",
            "<!--[if mso]><table role=\"presentation\" width=\"600\"",
            ">482913</td>",
            "role=\"article\"",
            &format!("lang=\"{tag}\""),
        ] {
            assert!(html.contains(expected), "{tag}, {expected} is missing: {html}");
        }
        for unwanted in
            ["<img", "http:", "https:", "url(", "<script", "<a ", "<link", "@import", "@font-face", "{{", "{%", "flex", "grid"]
        {
            assert!(!html.contains(unwanted), "{tag}, {unwanted}: {html}");
        }
        assert_eq!(html.matches("<table").count(), html.matches("<table role=\"presentation\"").count(), "{tag}: {html}");
        for element in ["table", "tr", "td", "div", "strong", "h1"] {
            let (opened, closed) = (html.matches(&format!("<{element}")).count(), html.matches(&format!("</{element}>")).count());
            assert_eq!(opened, closed, "{tag}, {element}: {html}");
        }
        let styled = |piece: &str| piece.split('>').next().unwrap_or_default().contains("style=");
        assert!(html.split("<td").skip(1).filter(|cell| cell.starts_with(" class=\"pad")).all(styled), "{tag}: {html}");
    }
}

#[test]
fn the_guide_names_every_language_and_what_its_text_messages_are_written_in() {
    let guide = include_str!("../../../../docs/guides/languages.md");
    assert!(guide.contains(&format!("in {} languages", SOURCES.len())), "the guide counts them");
    let cells: Vec<&str> = guide.split('|').map(str::trim).collect();
    for tag in built_in_languages() {
        let at = cells.iter().position(|cell| *cell == format!("`{tag}`"));
        let told = at.map(|at| cells[at + 2]);
        let alphabet = match Segments::of(&said(tag, Channel::Sms, |_| {})).encoding {
            Encoding::Gsm7 => "GSM-7",
            Encoding::Ucs2 => "UCS-2",
        };
        assert_eq!(told, Some(alphabet), "{tag}");
    }
}
