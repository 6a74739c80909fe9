//! `POST` of a template.

use countersign_core::NewTemplate;
use countersign_model::Channel;

use super::super::error::{Failure, Faults};
use super::super::words;
use super::Data;
use crate::body::Body;

/// The fields of the call.
#[cfg(test)]
pub(in super::super) const FIELDS: [&str; 3] = ["channel", "name", "text"];

/// Characters of the text that stand in for a name that was not given.
const NAME_FROM_TEXT: usize = 32;

/// Where the code goes, as the vendor writes it and as we do.
pub(in super::super) const PLACES: (&str, &str) = ("{code}", "{{code}}");

/// Reads the whole call, and tells all that is wrong with it.
pub(in super::super) fn parse(body: &Body) -> Result<NewTemplate, Failure> {
    let data = Data::of(body)?;
    let mut faults = Faults::default();
    let channel = data.text("channel").and_then(|name| name.parse::<Channel>().ok());
    if channel.is_none() {
        faults.add(words::INVALID_CHANNEL);
    }
    let text = data.text("text").filter(|text| text.contains(PLACES.0));
    if text.is_none() {
        faults.add(words::TEMPLATE_WITHOUT_CODE);
    }
    let name = match (data.get("name"), data.text("name")) {
        (Some(_), None) => {
            faults.add(words::MALFORMED.saying("'data.name' must be a text"));
            None
        }
        (Some(_), Some(name)) => Some(name.to_owned()),
        (None, _) => text.map(|text| text.chars().filter(|c| !c.is_control()).take(NAME_FROM_TEXT).collect()),
    };
    let made = channel.zip(text).zip(name);
    faults.or(made.map(|((channel, text), name)| NewTemplate { channel, name, body: ours(text) }))
}

/// With our places in it. A place that is written our way already stays one.
fn ours(text: &str) -> String {
    let (theirs, ours) = PLACES;
    text.replace(ours, theirs).replace(theirs, ours)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::body;
    use super::*;

    fn read(data: &Value) -> Result<NewTemplate, Vec<u16>> {
        parse(&body(data)).map_err(|failure| failure.numbers())
    }

    #[test]
    fn a_place_is_written_their_way_and_kept_ours() {
        let made = read(&json!({"channel": "SMS", "name": "Log in", "text": "{code} or {{code}} at {{app}}"})).unwrap();
        assert_eq!((made.channel, made.name.as_str()), (Channel::Sms, "Log in"));
        assert_eq!(made.body, "{{code}} or {{code}} at {{app}}");
    }

    #[test]
    fn a_name_may_be_left_out() {
        let made = read(&json!({"channel": "sms", "text": "Your code is {code}. Tell it to nobody at all."})).unwrap();
        assert_eq!(made.name, "Your code is {code}. Tell it to ");
    }

    #[test]
    fn everything_that_is_wrong_is_told() {
        assert_eq!(read(&json!({})).unwrap_err(), [1515, 1624]);
        assert_eq!(read(&json!({"channel": "fax", "name": 7, "text": "no place"})).unwrap_err(), [1400, 1515, 1624]);
    }
}
