use proptest::prelude::*;

use super::*;
use crate::segments::Encoding;
use crate::testing::{outgoing, rendered};

fn sms_with(change: impl FnOnce(&mut Outgoing)) -> Result<String, RenderError> {
    let mut message = outgoing(Channel::Sms);
    change(&mut message);
    Renderer::new(2).render(message).map(|message| message.text().to_owned())
}

fn mail_with(change: impl FnOnce(&mut Outgoing)) -> (String, String, String) {
    let mut message = outgoing(Channel::Email);
    change(&mut message);
    match rendered(message).content {
        Content::Email { subject, text, html } => (subject, text, html),
        Content::Phone { .. } => panic!("a mail was asked for"),
    }
}

fn with_domain(domain: &str) -> Autofill {
    Autofill { domain: Some(domain.to_owned()), app_hash: None }
}

fn with_hash(hash: &str) -> Autofill {
    Autofill { domain: None, app_hash: Some(hash.to_owned()) }
}

#[test]
fn an_sms_says_the_code_first_then_whose_it_is_and_how_long_it_lives() {
    let text = sms_with(|_| {}).unwrap();
    assert_eq!(text, "482913 is your Acme code. It expires in 10 minutes. Never share it.");
    assert_eq!(Segments::of(&text), Segments { encoding: Encoding::Gsm7, units: 67, count: 1 });
}

#[test]
fn one_minute_is_singular_on_every_channel() {
    for channel in Channel::ALL {
        let mut message = outgoing(channel);
        message.minutes = 1;
        let text = rendered(message).text().to_owned();
        assert!(text.contains("1 minute") && !text.contains("1 minutes"), "{channel}: {text}");
    }
}

#[test]
fn a_message_without_an_app_name_still_reads_well() {
    assert_eq!(
        sms_with(|message| message.app_name.clear()).unwrap(),
        "482913 is your code. It expires in 10 minutes. Never share it."
    );
    let (subject, text, html) = mail_with(|message| message.app_name.clear());
    assert_eq!(subject, "Your verification code");
    assert!(text.contains("Nobody from our team will ever ask"), "{text}");
    assert!(!html.contains("with <strong"), "{html}");
}

#[test]
fn the_domain_line_is_the_last_line_with_exactly_one_space() {
    let text = sms_with(|message| message.autofill = with_domain("login.example.com")).unwrap();
    assert!(text.ends_with("Never share it.\n\n@login.example.com #482913"), "{text}");
}

#[test]
fn the_app_hash_is_the_last_line_and_the_message_stays_within_140_bytes() {
    let text = sms_with(|message| message.autofill = with_hash("FA+9qCX9VSu")).unwrap();
    assert_eq!(text, "482913 is your Acme code. It expires in 10 minutes. Never share it.\n\nFA+9qCX9VSu");
    let long = sms_with(|message| {
        message.app_name = "Übermäßig lange Verwaltungsgesellschaft".to_owned();
        message.autofill = with_hash("FA+9qCX9VSu");
    })
    .unwrap();
    assert!(long.len() <= 140 && long.ends_with("\n\nFA+9qCX9VSu"), "{long}");
}

#[test]
fn words_give_way_before_the_last_line_does() {
    // The full words take 60 characters and the name; the short ones 34 and the name.
    let name = |length: usize| "N".repeat(length);
    let hash = with_hash("FA+9qCX9VSu");
    let text = |length| sms_with(|message| (message.app_name, message.autofill) = (name(length), hash.clone())).unwrap();
    assert!(text(60).starts_with(&format!("482913 is your {} code. It expires", name(60))));
    assert_eq!(text(90), format!("482913 is your {} code. Valid 10 min.\n\nFA+9qCX9VSu", name(90)));
    assert_eq!(text(200), "482913 is your code. Valid 10 min.\n\nFA+9qCX9VSu");
}

#[test]
fn a_text_in_another_script_is_shortened_by_its_real_cost() {
    let text = sms_with(|message| message.app_name = "Ж".repeat(90)).unwrap();
    assert_eq!(text, format!("482913 is your {} code. Valid 10 min.", "Ж".repeat(90)));
    assert_eq!(Segments::of(&text).count, 2);
}

#[test]
fn a_last_line_that_cannot_fit_is_an_error_and_never_cut() {
    let domain = format!("{0}.{0}.{0}.example", "d".repeat(60));
    let mut message = outgoing(Channel::Sms);
    message.autofill = with_domain(&domain);
    assert_eq!(Renderer::new(1).render(message.clone()).unwrap_err(), RenderError::TooLong);
    let text = Renderer::new(2).render(message).unwrap();
    assert!(text.text().ends_with(&format!("@{domain} #482913")), "{}", text.text());
}

#[test]
fn two_last_lines_are_refused_on_every_channel() {
    for channel in Channel::ALL {
        let mut message = outgoing(channel);
        message.autofill = Autofill { domain: Some("example.com".to_owned()), app_hash: Some("FA+9qCX9VSu".to_owned()) };
        assert_eq!(Renderer::new(2).render(message).unwrap_err(), RenderError::AutofillBoth, "{channel}");
    }
}

#[test]
fn a_last_line_that_no_device_would_read_is_refused() {
    for domain in [
        "",
        "exa mple.com",
        "example.com\n@evil.example",
        "@example.com",
        "example..com",
        "https://example.com",
        "bücher.example",
    ] {
        let refused = sms_with(|message| message.autofill = with_domain(domain)).unwrap_err();
        assert_eq!(refused, RenderError::AutofillDomain, "{domain:?}");
    }
    for hash in ["", "FA+9qCX9VS", "FA+9qCX9VSuu", "FA+9qCX9VS ", "FA+9qCX9VS\n"] {
        let refused = sms_with(|message| message.autofill = with_hash(hash)).unwrap_err();
        assert_eq!(refused, RenderError::AutofillHash, "{hash:?}");
    }
}

#[test]
fn a_voice_reads_the_digits_one_by_one_and_twice() {
    let text = rendered(outgoing(Channel::Voice)).text().to_owned();
    assert_eq!(text.matches("4, 8, 2, 9, 1, 3.").count(), 2, "{text}");
    assert!(!text.contains("482913"), "{text}");
}

#[test]
fn last_lines_are_for_text_messages_and_the_domain_also_for_mail() {
    for channel in [Channel::Whatsapp, Channel::Voice] {
        let mut message = outgoing(channel);
        message.autofill = with_domain("example.com");
        assert!(!rendered(message).text().contains("@example.com"), "{channel}");
    }
    let (_, text, html) = mail_with(|message| message.autofill = with_domain("example.com"));
    assert_eq!(text.lines().last(), Some("@example.com #482913"));
    assert!(html.contains(">@example.com #482913<"), "{html}");
    let (_, text, html) = mail_with(|message| message.autofill = with_hash("FA+9qCX9VSu"));
    assert!(!text.contains("FA+9qCX9VSu") && !html.contains("FA+9qCX9VSu"), "{text}");
}

#[test]
fn a_subject_never_holds_the_code() {
    let (subject, ..) = mail_with(|_| {});
    assert_eq!(subject, "Your Acme verification code");
}

#[test]
fn the_code_stands_in_one_piece_in_both_parts_of_a_mail() {
    let (_, text, html) = mail_with(|_| {});
    assert!(text.starts_with("482913 is your Acme verification code.\n"), "{text}");
    assert!(text.contains("It expires in 10 minutes") && text.contains("Never share this code."), "{text}");
    assert!(html.contains(">482913</td>"), "{html}");
}

#[test]
fn a_mail_is_accessible_and_fetches_nothing() {
    let (subject, _, html) = mail_with(|_| {});
    for expected in [
        "<html lang=\"en\" dir=\"ltr\" ",
        "<meta name=\"color-scheme\" content=\"light dark\">",
        "prefers-color-scheme: dark",
        "<h1",
        "Never share this code.",
        "expires in",
        "10 minutes",
        &format!("<title>{subject}</title>"),
    ] {
        assert!(html.contains(expected), "{expected} is missing in {html}");
    }
    assert_eq!(html.matches("<table").count(), html.matches("<table role=\"presentation\"").count(), "{html}");
    for unwanted in ["<img", "http:", "https:", "url(", "<script", "<a "] {
        assert!(!html.contains(unwanted), "{unwanted} in {html}");
    }
}

#[test]
fn a_name_of_one_long_word_does_not_make_a_mail_wider_than_its_screen() {
    let (.., html) = mail_with(|_| {});
    let card = html.split("class=\"card\"").nth(1).unwrap();
    // In a table `overflow-wrap: break-word` is of no use: its columns are as wide as their longest word.
    assert!(card.split('>').next().unwrap().contains("word-break:break-word;overflow-wrap:anywhere"), "{html}");
}

#[test]
fn a_mail_keeps_to_what_outlooks_word_engine_knows() {
    let built_in = mail_with(|_| {}).2;
    let own = mail_with(|message| {
        message.wording = Some(countersign_model::Wording { subject: None, body: "Hello\n\n{{code}}".to_owned() });
    });
    for html in [built_in, own.2] {
        assert!(html.contains("<o:PixelsPerInch>96</o:PixelsPerInch>"), "it is stretched on dense screens: {html}");
        assert!(html.contains("<!--[if mso]><table role=\"presentation\" width=\"600\" "), "it knows no max-width: {html}");
        assert_eq!(html.matches("<!--[if mso]>").count(), html.matches("<![endif]-->").count(), "{html}");
        assert!(!html.contains("background:"), "it knows background-color alone: {html}");
        for style in html.split(" style=\"").skip(1) {
            let style = style.split('"').next().unwrap();
            assert!(!style.contains("!important"), "it passes over what is important in an attribute: {style}");
            for unknown in ["flex", "grid", "position", "float", "calc("] {
                assert!(!style.contains(unknown), "{unknown} in {style}");
            }
        }
        for tag in html.split('<').filter(|tag| tag.starts_with("td") || tag.starts_with("p ") || tag.starts_with("h1")) {
            let is_text = tag.contains("font-size") && !tag.contains("font-size:0");
            assert!(!is_text || tag.contains("line-height"), "{tag}");
        }
    }
}

#[test]
fn a_hostile_name_is_only_ever_a_name() {
    let hostile = "Ac\r\nBcc: eve@example.com\n\n@evil.example #000000\u{202E}<b>\u{0}";
    let flat = "Ac Bcc: eve@example.com @evil.example #000000<b>";
    assert!(sms_with(|message| message.app_name = hostile.to_owned()).unwrap().lines().count() == 1);
    let (subject, text, html) = mail_with(|message| message.app_name = hostile.to_owned());
    assert_eq!(subject, format!("Your {flat} verification code"));
    assert!(!text.lines().any(|line| line.starts_with("Bcc") || line.starts_with('@')), "{text}");
    assert!(html.contains("&lt;b&gt;") && !html.contains("<b>"), "{html}");
}

#[test]
fn debug_output_of_a_message_shows_neither_its_words_nor_its_code_nor_its_recipient() {
    for channel in Channel::ALL {
        let shown = format!("{:?}", rendered(outgoing(channel)));
        assert!(!shown.contains("482913") && !shown.contains("ann@") && !shown.contains("2025550143"), "{shown}");
    }
}

proptest! {
    #[test]
    fn whatever_the_name_and_language_an_sms_keeps_its_code_its_last_line_and_its_bounds(
        name in ".{0,200}", locale in "[a-zA-Z-]{0,12}", minutes in 0_u32..100, segments in 1_usize..4, retriever: bool,
    ) {
        let mut message = outgoing(Channel::Sms);
        (message.app_name, message.locale, message.minutes) = (name, locale, minutes);
        message.autofill = if retriever { with_hash("FA+9qCX9VSu") } else { with_domain("example.com") };
        let text = Renderer::new(segments).render(message).unwrap().text().to_owned();
        prop_assert!(text.starts_with("482913 "), "{text}");
        prop_assert!(text.ends_with(if retriever { "\n\nFA+9qCX9VSu" } else { "\n\n@example.com #482913" }), "{text}");
        prop_assert_eq!(text.lines().count(), 3);
        prop_assert!(Segments::of(&text).count <= segments, "{text}");
        prop_assert!(!retriever || text.len() <= 140, "{text}");
    }
}
