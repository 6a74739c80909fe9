//! In which language a person is spoken to.

mod countries;
mod people;

use countersign_model::Country;

use countries::main_language;

pub(crate) use people::{ContactLocales, Writing};

/// The language of messages when nobody asks for one.
pub(crate) const LOCALE: &str = "en";

/// BCP 47 tags, most wanted first: what was asked for, what most people read where the number is, what the service speaks, English. The first one
/// that there are words in is taken, each with its own wider tags.
///
/// What was asked for is what the call says, else what a contact says who is asked. A session keeps the first of its tags: later messages of it ask
/// for that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Languages(Vec<String>);

impl Languages {
    /// Those of one message.
    pub(crate) fn of(asked: Option<&str>, country: Option<Country>, service: Option<&str>) -> Self {
        let mut tags: Vec<String> = Vec::with_capacity(4);
        for tag in [asked, country.and_then(main_language), service, Some(LOCALE)].into_iter().flatten() {
            if !tags.iter().any(|known| known.eq_ignore_ascii_case(tag)) {
                tags.push(tag.to_owned());
            }
        }
        Self(tags)
    }

    /// The one that is wanted most, whether or not there are words in it.
    pub(crate) fn first(&self) -> &str {
        self.0.first().map_or(LOCALE, String::as_str)
    }

    /// Most wanted first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(asked: Option<&str>, country: Option<&str>, service: Option<&str>) -> Vec<String> {
        Languages::of(asked, country.map(|country| country.parse().unwrap()), service).0
    }

    #[test]
    fn the_call_is_heard_before_the_country_and_the_country_before_the_service() {
        assert_eq!(tags(Some("pt-BR"), Some("DE"), Some("fr")), ["pt-BR", "de", "fr", "en"]);
        assert_eq!(tags(None, Some("DE"), Some("fr")), ["de", "fr", "en"]);
        assert_eq!(tags(None, None, Some("fr")), ["fr", "en"]);
        assert_eq!(tags(None, None, None), ["en"]);
    }

    #[test]
    fn a_country_where_no_language_is_read_by_most_leaves_it_to_the_service() {
        for country in ["BE", "IN", "AQ"] {
            assert_eq!(tags(None, Some(country), Some("fr")), ["fr", "en"], "{country}");
        }
    }

    #[test]
    fn nothing_is_tried_twice() {
        assert_eq!(tags(Some("EN"), Some("US"), Some("en")), ["EN"]);
    }
}
