//! What serde found wrong, in words for whoever writes a configuration: keys and kinds of things, never a value.

use figment::error::{Actual, Kind};
use figment::value::Value;

use super::print::toml_string;
use super::{ConfigError, Problem};

impl ConfigError {
    /// What serde found in `whole`, which is what all layers say together.
    pub(super) fn of_layers(errors: &[figment::Error], whole: &Value) -> Self {
        Self::Invalid(errors.iter().map(|error| problem(error, whole)).collect())
    }
}

/// Says what serde found, without the value it found.
fn problem(error: &figment::Error, whole: &Value) -> Problem {
    let at = written(&error.path, whole);
    if let Kind::InvalidType(_, words) | Kind::Message(words) = &error.kind
        && let Some(form) = form(words)
    {
        return Problem::new(at, format!("must be {form}"));
    }
    match &error.kind {
        Kind::UnknownField(field, known) => {
            let key = if error.path.last() == Some(field) { at } else { join(&at, field) };
            let is_top = key == *field;
            Problem::new(key, unknown(field, known, is_top))
        }
        Kind::UnknownVariant(_, known) => Problem::new(at, format!("must be one of: {}", known.join(", "))),
        Kind::InvalidType(found, wanted) => Problem::new(at, format!("must be {}{}", plain(wanted), but_is(found))),
        Kind::InvalidValue(_, wanted) => Problem::new(at, format!("must be {}", plain(wanted))),
        Kind::InvalidLength(_, wanted) => Problem::new(at, format!("must have {wanted}")),
        Kind::MissingField(field) => Problem::new(join(&at, field), "is missing"),
        Kind::DuplicateField(field) => Problem::new(join(&at, field), "stands twice"),
        Kind::ISizeOutOfRange(_) | Kind::USizeOutOfRange(_) => Problem::new(at, "is too large"),
        Kind::Message(message) => Problem::new(at, format!("cannot be used: {message}")),
        Kind::Unsupported(_) | Kind::UnsupportedKey(..) => Problem::new(at, "has a form that is not supported here"),
    }
}

/// What the words for types of Rust mean to whoever writes a configuration.
fn plain(wanted: &str) -> &str {
    match wanted {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number, 0 or more",
        "a boolean" => "true or false",
        "a string" | "path string" | "variant identifier" => "a text in quotes",
        "a sequence" | "sequence" => "a list in brackets",
        "a map" | "map" => "a section",
        other if other.starts_with("struct ") => "a section",
        other if other.starts_with("enum ") => "a text in quotes",
        other => other,
    }
}

/// What an address looks like, in place of what its type says of a text that is none, or of what is no text.
fn form(words: &str) -> Option<&'static str> {
    match words {
        "socket address" | "invalid socket address syntax" => Some("an address with its port, such as 127.0.0.1:8080"),
        "IPv4 or IPv6 network address" | "invalid IP address syntax" => Some("an address with a prefix, such as 10.0.0.0/8"),
        _ => None,
    }
}

/// The kind of thing that stands there instead; of some kinds there is nothing to say.
fn but_is(found: &Actual) -> &'static str {
    match found {
        Actual::Bool(_) => ", not a truth value",
        Actual::Unsigned(_) | Actual::Signed(_) => ", not a whole number",
        Actual::Float(_) => ", not a number with a fraction",
        Actual::Char(_) | Actual::Str(_) | Actual::Bytes(_) => ", not a text",
        Actual::Seq => ", not a list",
        Actual::Map => ", not a section",
        Actual::Unit
        | Actual::Option
        | Actual::NewtypeStruct
        | Actual::Enum
        | Actual::UnitVariant
        | Actual::NewtypeVariant
        | Actual::TupleVariant
        | Actual::StructVariant
        | Actual::Other(_) => "",
    }
}

/// A path as people write it, with places in lists in brackets: `services[0].code_length`.
fn written(path: &[String], whole: &Value) -> String {
    let mut key = String::new();
    let mut here = Some(whole);
    for step in path {
        if let Some(Value::Array(_, items)) = here {
            key = format!("{key}[{step}]");
            here = step.parse::<usize>().ok().and_then(|place| items.get(place));
        } else {
            key = join(&key, step);
            here = here.and_then(Value::as_dict).and_then(|keys| keys.get(step));
        }
    }
    key
}

/// `section.key`, or `key` at the top; in quotes where TOML wants them.
fn join(at: &str, key: &str) -> String {
    let is_bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let key = if is_bare { key.to_owned() } else { toml_string(key) };
    if at.is_empty() { key } else { format!("{at}.{key}") }
}

fn unknown(field: &str, known: &[&str], is_top: bool) -> String {
    if known.is_empty() {
        return "does not exist; there are no other keys here".to_owned();
    }
    if let Some(near) = known.iter().min_by_key(|name| distance(field, name)).filter(|name| distance(field, name) <= 2) {
        return format!("does not exist; did you mean {near}?");
    }
    let in_section = known.iter().find_map(|name| Some((*name, field.strip_prefix(name)?.strip_prefix('_')?)));
    match in_section.filter(|_| is_top) {
        Some((section, key)) => format!(
            "does not exist; did you mean {section}.{key}? In the name of a variable two underscores stand between a section and its key"
        ),
        None => format!("does not exist; known here: {}", known.join(", ")),
    }
}

/// Levenshtein distance: how many letters differ.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (line, from) in left.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, to) in right.chars().enumerate() {
            let change = diagonal + usize::from(from != to);
            diagonal = row[column + 1];
            row[column + 1] = change.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}
