//! The texts of locale files: words with places, and groups that depend on whether a name is shown.

use serde::Deserialize;

/// Why a text of a locale file is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TextError {
    /// A bracket without its twin, or one within another.
    #[error("brackets do not pair: write [with a name|without one], one not within another")]
    Brackets,
    /// A brace without its twin, or a place for something else.
    #[error("a place is {{code}}, {{app}}, {{minutes}} or {{time}}")]
    Place,
}

/// What a place is filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Code,
    App,
    /// The bare number.
    Minutes,
    /// The number with its noun.
    Time,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Words(String),
    Place(Place),
}

/// A text of a locale file.
///
/// `{code}`, `{app}`, `{minutes}` (`10`) and `{time}` (`10 minutes`) are filled in; of `[a|b]`, `a` is said when there is a name to show and
/// `b`, which may be left out, when there is none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Text {
    named: Vec<Piece>,
    nameless: Vec<Piece>,
}

/// What one message fills the places with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filling<'a> {
    pub(super) code: &'a str,
    /// Empty: there is no name to show.
    pub(super) app: &'a str,
    pub(super) minutes: u32,
    pub(super) time: &'a str,
}

/// A stretch of a filled text. A mail shows names and times in bold.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Stretch {
    pub(super) text: String,
    pub(super) strong: bool,
}

impl TryFrom<String> for Text {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        let (mut named, mut nameless) = (Vec::new(), Vec::new());
        let mut rest = text.as_str();
        while let Some((before, behind)) = rest.split_once('[') {
            let (group, after) = behind.split_once(']').ok_or(TextError::Brackets)?;
            let before = pieces(before)?;
            named.extend(before.clone());
            nameless.extend(before);
            let (with, without) = group.split_once('|').unwrap_or((group, ""));
            named.extend(pieces(with)?);
            nameless.extend(pieces(without)?);
            rest = after;
        }
        let last = pieces(rest)?;
        named.extend(last.clone());
        nameless.extend(last);
        Ok(Self { named, nameless })
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, TextError> {
    if text.contains(['[', ']', '|']) {
        return Err(TextError::Brackets);
    }
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        let (name, after) = behind.split_once('}').ok_or(TextError::Place)?;
        pieces.push(words(before)?);
        pieces.push(Piece::Place(match name {
            "code" => Place::Code,
            "app" => Place::App,
            "minutes" => Place::Minutes,
            "time" => Place::Time,
            _ => return Err(TextError::Place),
        }));
        rest = after;
    }
    pieces.push(words(rest)?);
    Ok(pieces)
}

fn words(text: &str) -> Result<Piece, TextError> {
    if text.contains('}') { Err(TextError::Place) } else { Ok(Piece::Words(text.to_owned())) }
}

impl Text {
    /// The whole text.
    pub(super) fn say(&self, filling: &Filling<'_>) -> String {
        self.stretches(filling).into_iter().map(|stretch| stretch.text).collect()
    }

    /// The text in stretches, none of them empty.
    pub(super) fn stretches(&self, filling: &Filling<'_>) -> Vec<Stretch> {
        let pieces = if filling.app.is_empty() { &self.nameless } else { &self.named };
        let stretches = pieces.iter().map(|piece| {
            let (text, strong) = match piece {
                Piece::Words(words) => (words.clone(), false),
                Piece::Place(Place::Code) => (filling.code.to_owned(), false),
                Piece::Place(Place::App) => (filling.app.to_owned(), true),
                Piece::Place(Place::Minutes) => (filling.minutes.to_string(), false),
                Piece::Place(Place::Time) => (filling.time.to_owned(), true),
            };
            Stretch { text, strong }
        });
        stretches.filter(|stretch| !stretch.text.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, app: &str) -> Result<String, TextError> {
        let filling = Filling { code: "482913", app, minutes: 10, time: "10 minutes" };
        Ok(Text::try_from(text.to_owned())?.say(&filling))
    }

    #[test]
    fn places_are_filled_and_groups_go_by_whether_there_is_a_name() {
        let text = "{code} is your[ {app}| secret] code for {time} ({minutes}).";
        assert_eq!(said(text, "Acme").unwrap(), "482913 is your Acme code for 10 minutes (10).");
        assert_eq!(said(text, "").unwrap(), "482913 is your secret code for 10 minutes (10).");
        assert_eq!(said("Your[ {app}] code", "").unwrap(), "Your code");
    }

    #[test]
    fn a_name_is_never_read_as_a_place() {
        assert_eq!(said("{app}!", "{code}[x|y]").unwrap(), "{code}[x|y]!");
    }

    #[test]
    fn a_text_with_a_mistake_is_none() {
        for wrong in ["[a", "a]", "[a[b]]", "a|b", "[a|b|c]"] {
            assert_eq!(said(wrong, ""), Err(TextError::Brackets), "{wrong}");
        }
        for wrong in ["{code", "code}", "{otp}", "{ code }", "{{code}}"] {
            assert_eq!(said(wrong, ""), Err(TextError::Place), "{wrong}");
        }
    }
}
