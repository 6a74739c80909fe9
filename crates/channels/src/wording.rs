//! A tenant's own words: text with places for the code, the app's name and the minutes, and nothing else.
//!
//! Deliberately no template language: whoever may write a text for people must not get loops, arithmetic or look-ups along with it.

use std::fmt;

use countersign_model::{Channel, Wording};

/// Most characters of a subject or a text, before its places are filled.
const MOST: usize = 2000;

/// A part of a tenant's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The subject line of a mail.
    Subject,
    /// The text.
    Body,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Subject => "subject",
            Self::Body => "body",
        })
    }
}

/// Why words of a tenant's own are not taken. Each says what is to be done about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordingError {
    /// Nothing a person could read.
    #[error("the {0} is empty")]
    Empty(Part),
    /// Longer than anybody reads.
    #[error("the {0} is longer than {MOST} characters")]
    TooLong(Part),
    /// It would cost more text messages than this installation lets one cost.
    #[error("the body needs {needed} text messages, and {most} is the most here")]
    TooManySegments {
        /// With a code of eight digits and without a name.
        needed: usize,
        /// As configured.
        most: usize,
    },
    /// A character that no message may hold.
    #[error("the {0} holds a control character")]
    Control(Part),
    /// Braces that are no place, or a place that is not closed.
    #[error(
        "the {part}, line {line}: write a place as {{{{code}}}}, {{{{app}}}} or {{{{minutes}}}}, at most with | upper or | lower"
    )]
    Syntax {
        /// Where.
        part: Part,
        /// Counted from 1.
        line: usize,
    },
    /// A place for something that is not there.
    #[error("the {part} has a place for \"{name}\": only {{{{code}}}}, {{{{app}}}} and {{{{minutes}}}} are known")]
    UnknownVariable {
        /// Where.
        part: Part,
        /// As it is written there, at most 64 characters of it.
        name: String,
    },
    /// A message that proves nothing.
    #[error("the body does not hold {{{{code}}}}")]
    CodeMissing,
    /// It would show on locked screens.
    #[error("the subject must not hold {{{{code}}}}: it shows on locked screens")]
    CodeInSubject,
    /// Only a mail has a subject.
    #[error("a message for {0} has no subject")]
    Subject(Channel),
}

/// What a place is filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variable {
    Code,
    App,
    Minutes,
}

/// How a place changes what it is filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    AsIs,
    Upper,
    Lower,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Place(Variable, Case),
}

/// What the places of one message are filled with.
pub(crate) struct Filling<'a> {
    /// As it is read, or as it is said.
    pub(crate) code: &'a str,
    /// One line.
    pub(crate) app: &'a str,
    pub(crate) minutes: u32,
}

/// Words that were looked through.
pub(crate) struct OwnWords<'a> {
    /// None: the built-in one.
    subject: Option<Vec<Piece<'a>>>,
    body: Vec<Piece<'a>>,
}

impl<'a> OwnWords<'a> {
    /// Looks through the words for a message on `channel`.
    pub(crate) fn parse(channel: Channel, wording: &'a Wording) -> Result<Self, WordingError> {
        let body = parse(Part::Body, &wording.body)?;
        if !holds_code(&body) {
            return Err(WordingError::CodeMissing);
        }
        let Some(subject) = wording.subject.as_deref() else { return Ok(Self { subject: None, body }) };
        if channel != Channel::Email {
            return Err(WordingError::Subject(channel));
        }
        let subject = parse(Part::Subject, subject)?;
        if holds_code(&subject) { Err(WordingError::CodeInSubject) } else { Ok(Self { subject: Some(subject), body }) }
    }

    /// The subject, if there is one of the tenant's own.
    pub(crate) fn subject(&self, filling: &Filling<'_>) -> Option<String> {
        self.subject.as_ref().map(|pieces| fill(pieces, filling).trim().to_owned())
    }

    /// The text, its lines ended by `\n` and none behind the last.
    pub(crate) fn body(&self, filling: &Filling<'_>) -> String {
        fill(&self.body, filling).replace("\r\n", "\n").trim().to_owned()
    }
}

fn holds_code(pieces: &[Piece<'_>]) -> bool {
    pieces.iter().any(|piece| matches!(piece, Piece::Place(Variable::Code, _)))
}

fn parse(part: Part, text: &str) -> Result<Vec<Piece<'_>>, WordingError> {
    if text.trim().is_empty() {
        return Err(WordingError::Empty(part));
    }
    if text.chars().count() > MOST {
        return Err(WordingError::TooLong(part));
    }
    let allowed = |c: char| !c.is_control() || (part == Part::Body && matches!(c, '\n' | '\r' | '\t'));
    if !text.chars().all(allowed) {
        return Err(WordingError::Control(part));
    }
    pieces(part, text)
}

fn pieces(part: Part, text: &str) -> Result<Vec<Piece<'_>>, WordingError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        let wrong = |at: &str| WordingError::Syntax { part, line: 1 + text[..text.len() - at.len()].matches('\n').count() };
        let Some((before, behind)) = rest.split_once("{{") else {
            plain(rest).map_err(wrong)?;
            pieces.push(Piece::Text(rest));
            return Ok(pieces);
        };
        plain(before).map_err(|_| wrong(rest))?;
        pieces.push(Piece::Text(before));
        let (inside, after) = behind.split_once("}}").ok_or_else(|| wrong(behind))?;
        pieces.push(place(part, inside, || wrong(behind))?);
        rest = after;
    }
}

/// Text without what looks like a place that went wrong; else where that is.
fn plain(text: &str) -> Result<(), &str> {
    let stray = ["}}", "{%", "%}", "{#", "#}"].iter().filter_map(|mark| text.find(mark)).min();
    stray.map_or(Ok(()), |at| Err(&text[at..]))
}

fn place<'a>(part: Part, inside: &str, wrong: impl Fn() -> WordingError) -> Result<Piece<'a>, WordingError> {
    let (name, case) = match inside.split_once('|') {
        None => (inside, Case::AsIs),
        Some((name, filter)) => match filter.trim() {
            "upper" => (name, Case::Upper),
            "lower" => (name, Case::Lower),
            _ => return Err(wrong()),
        },
    };
    let name = name.trim();
    let variable = match name {
        "code" => Variable::Code,
        "app" => Variable::App,
        "minutes" => Variable::Minutes,
        word if is_word(word) => return Err(WordingError::UnknownVariable { part, name: word.chars().take(64).collect() }),
        _ => return Err(wrong()),
    };
    Ok(Piece::Place(variable, case))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

fn fill(pieces: &[Piece<'_>], filling: &Filling<'_>) -> String {
    let mut text = String::new();
    for piece in pieces {
        match *piece {
            Piece::Text(plain) => text.push_str(plain),
            Piece::Place(variable, case) => {
                let value = match variable {
                    Variable::Code => filling.code.to_owned(),
                    Variable::App => filling.app.to_owned(),
                    Variable::Minutes => filling.minutes.to_string(),
                };
                text.push_str(&match case {
                    Case::AsIs => value,
                    Case::Upper => value.to_uppercase(),
                    Case::Lower => value.to_lowercase(),
                });
            }
        }
    }
    text
}

/// Looks through words before they are kept: whatever passes here can be filled for every message.
///
/// How many text messages they cost depends on the installation: [`Router::check_wording`](crate::Router::check_wording) looks at that too.
pub fn check_wording(channel: Channel, subject: Option<&str>, body: &str) -> Result<(), WordingError> {
    let wording = Wording { subject: subject.map(str::to_owned), body: body.to_owned() };
    OwnWords::parse(channel, &wording).map(|_| ())
}

/// The text as it is at its shortest: no name, and the longest code.
pub(crate) fn shortest(words: &OwnWords<'_>) -> String {
    words.body(&Filling { code: "00000000", app: "", minutes: 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(body: &str) -> Result<(), WordingError> {
        check_wording(Channel::Sms, None, body)
    }

    fn filled(body: &str) -> String {
        let wording = Wording { subject: None, body: body.to_owned() };
        let words = OwnWords::parse(Channel::Sms, &wording).unwrap();
        words.body(&Filling { code: "482913", app: "Acme", minutes: 10 })
    }

    #[test]
    fn places_are_filled_and_everything_else_stays_as_it_is() {
        assert_eq!(filled("{{code}} für {{ app }}: {{minutes}} Min."), "482913 für Acme: 10 Min.");
        assert_eq!(filled("{{app|upper}}/{{ app | lower }} {{code}}{{code}}"), "ACME/acme 482913482913");
        assert_eq!(filled("  {code} <b>{ {{code}} } & 100% #1\r\nend \n"), "{code} <b>{ 482913 } & 100% #1\nend");
    }

    #[test]
    fn what_a_place_is_filled_with_is_never_read_again() {
        let wording = Wording { subject: None, body: "{{app}} {{code}}".to_owned() };
        let words = OwnWords::parse(Channel::Sms, &wording).unwrap();
        assert_eq!(words.body(&Filling { code: "1234", app: "{{code}}", minutes: 1 }), "{{code}} 1234");
    }

    #[test]
    fn a_text_without_a_code_is_refused() {
        for body in ["Hello", "{{app}} {{minutes}}", "code"] {
            assert_eq!(checked(body), Err(WordingError::CodeMissing), "{body}");
        }
        assert_eq!(checked(" \n "), Err(WordingError::Empty(Part::Body)));
    }

    #[test]
    fn only_what_is_there_has_a_place() {
        for name in ["otp_code", "spoken", "range", "self.name", "Code"] {
            let refused = checked(&format!("{{{{code}}}} {{{{{name}}}}}")).unwrap_err();
            assert_eq!(refused, WordingError::UnknownVariable { part: Part::Body, name: name.to_owned() });
        }
    }

    #[test]
    fn no_text_reads_anything_but_its_three_places() {
        for body in [
            "{{code}} {{ self }}",
            "{{code}} {{ app.config }}",
            "{{code}} {{ code.__class__.__mro__ }}",
            "{{code}} {{ recipient }}",
            "{{code}} {{ minutes.x }}",
            "{{code}} {{ _ }}",
            "{{code}} {{ \u{ff43}ode }}",
        ] {
            assert!(matches!(checked(body), Err(WordingError::UnknownVariable { .. })), "{body}: {:?}", checked(body));
        }
        for body in [
            "{{code}} {{ app[0] }}",
            "{{code}} {{ app['x'] }}",
            "{{code}} {{ range(999999999) }}",
            "{{code}} {{ 'a' * 999999999 }}",
            "{{code}} {{ code | attr('x') }}",
            "{{code}} {{- app -}}",
            "{{code}} {{ app ~ code }}",
            "{{code}} {{ app if code }}",
            "{{ {{code}} }}",
            "{{{{code}}}}",
            "{{code}} {% include 'email.html' %}",
            "{{code}} {% extends 'email.html' %}",
            "{{code}} {% set x = 1 %}",
            "{{code}} {%- raw -%}",
        ] {
            assert!(matches!(checked(body), Err(WordingError::Syntax { .. })), "{body}: {:?}", checked(body));
        }
        let nested = format!("{}code{}", "{{".repeat(490), "}}".repeat(490));
        assert!(matches!(checked(&nested), Err(WordingError::Syntax { .. })), "{:?}", checked(&nested));
        assert_eq!(checked(&"{{code}}".repeat(251)), Err(WordingError::TooLong(Part::Body)));
        let long = format!("{{{{code}}}} {{{{{}}}}}", "a".repeat(1900));
        assert!(matches!(checked(&long), Err(WordingError::UnknownVariable { name, .. }) if name.len() == 64));
    }

    #[test]
    fn a_template_language_is_not_spoken_here() {
        for body in [
            "{{code}} {% for x in code %}{% endfor %}",
            "{{code}} {# remark #}",
            "{{code",
            "{{code}} {{",
            "{{code}} }}",
            "{{}} {{code}}",
            "{{code}} {{ 7 * 7 }}",
            "{{code}} {{ \"a\" }}",
            "{{ code | safe }}",
            "{{ code | upper | lower }}",
            "{{ code() }}",
            "{{{code}}}",
            "{{ code\n}} {{ {{code}} }}",
        ] {
            assert!(matches!(checked(body), Err(WordingError::Syntax { .. })), "{body}: {:?}", checked(body));
        }
        assert_eq!(checked("one\ntwo {{code}}\n{{"), Err(WordingError::Syntax { part: Part::Body, line: 3 }));
    }

    #[test]
    fn words_have_a_bound_and_no_control_characters() {
        assert!(checked(&format!("{{{{code}}}}{}", "ж".repeat(MOST - 8))).is_ok());
        assert_eq!(checked(&format!("{{{{code}}}}{}", "ж".repeat(MOST - 7))), Err(WordingError::TooLong(Part::Body)));
        for wrong in ["\u{0}", "\u{7}", "\u{1b}"] {
            assert_eq!(checked(&format!("{{{{code}}}}{wrong}")), Err(WordingError::Control(Part::Body)));
        }
        let subject = check_wording(Channel::Email, Some("a\r\nBcc: eve@example.com"), "{{code}}");
        assert_eq!(subject, Err(WordingError::Control(Part::Subject)));
    }

    #[test]
    fn a_subject_is_for_mail_and_without_the_code() {
        assert_eq!(check_wording(Channel::Email, Some("Your {{app}} code"), "{{code}}"), Ok(()));
        assert_eq!(check_wording(Channel::Email, Some("{{code}}"), "{{code}}"), Err(WordingError::CodeInSubject));
        assert_eq!(check_wording(Channel::Email, Some(""), "{{code}}"), Err(WordingError::Empty(Part::Subject)));
        for channel in [Channel::Sms, Channel::Whatsapp, Channel::Voice] {
            assert_eq!(check_wording(channel, Some("Hi"), "{{code}}"), Err(WordingError::Subject(channel)));
        }
    }

    #[test]
    fn every_fault_says_what_to_do() {
        let told = |error: WordingError| error.to_string();
        assert_eq!(told(WordingError::CodeMissing), "the body does not hold {{code}}");
        assert_eq!(
            told(checked("{{code}} {{otp}}").unwrap_err()),
            "the body has a place for \"otp\": only {{code}}, {{app}} and {{minutes}} are known"
        );
        assert_eq!(
            told(checked("{{code}} {{").unwrap_err()),
            "the body, line 1: write a place as {{code}}, {{app}} or {{minutes}}, at most with | upper or | lower"
        );
        assert_eq!(told(WordingError::TooLong(Part::Body)), "the body is longer than 2000 characters");
    }
}
