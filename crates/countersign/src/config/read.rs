//! From what all layers say to a [`Config`]; whatever is wrong keeps its whole path.

use countersign_channels::{ProviderConfig, ProviderKind, ProvidersConfig};
use figment::Error;
use figment::error::{Actual, Kind};
use figment::value::{Dict, Value};
use serde::Deserialize;

use super::Config;

const PROVIDERS: &str = "providers";
const KIND: &str = "kind";
/// As serde calls it.
const SECTION: &str = "a map";

/// Reads the sections of providers one by one, each by its kind: read with the rest, serde would not say which of their keys is wrong.
pub(super) fn read(mut whole: Dict) -> Result<Config, Vec<Error>> {
    let mut wrong = Vec::new();
    refuse_lists(&whole, &shape(), &mut Vec::new(), &mut wrong);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let sections = match whole.get_mut(PROVIDERS) {
        Some(Value::Dict(_, sections)) => std::mem::take(sections),
        // What is there is no section: the rest says so.
        Some(_) | None => Dict::new(),
    };
    let rest = Config::deserialize(&Value::from(whole));
    let mut providers = ProvidersConfig::new();
    for (name, section) in sections {
        match provider(section) {
            Ok(config) => _ = providers.insert(name, config),
            Err(error) => wrong.push(under(&[PROVIDERS, &name], *error)),
        }
    }
    match rest {
        Ok(config) if wrong.is_empty() => Ok(Config { providers, ..config }),
        Ok(_) => Err(wrong),
        Err(error) => {
            wrong.insert(0, error);
            Err(wrong)
        }
    }
}

fn provider(section: Value) -> Result<ProviderConfig, Box<Error>> {
    let mut keys = match section {
        Value::Dict(_, keys) => keys,
        other => return Err(Box::new(Kind::InvalidType(other.to_actual(), SECTION.to_owned()).into())),
    };
    let word = keys.remove(KIND).ok_or_else(|| Error::from(Kind::MissingField(KIND.into())))?;
    let kind = ProviderKind::deserialize(&word).map_err(|error| under(&[KIND], error))?;
    Ok(kind.read(&Value::from(keys))?)
}

/// The sections that there are whatever is configured.
fn shape() -> Dict {
    Value::serialize(Config::default()).ok().and_then(Value::into_dict).unwrap_or_default()
}

/// A list in the place of a section, `[[http]]` for `[http]`: serde would take it for the section's values in their order.
fn refuse_lists(whole: &Dict, shape: &Dict, place: &mut Vec<String>, wrong: &mut Vec<Error>) {
    for (key, is) in shape {
        place.push(key.clone());
        match (whole.get(key), is) {
            (Some(Value::Array(..)), Value::Dict(..)) => {
                let mut list = Error::from(Kind::InvalidType(Actual::Seq, SECTION.to_owned()));
                list.path.clone_from(place);
                wrong.push(list);
            }
            (Some(Value::Dict(_, whole)), Value::Dict(_, shape)) => refuse_lists(whole, shape, place, wrong),
            _ => {}
        }
        place.pop();
    }
}

fn under(place: &[&str], mut error: Error) -> Error {
    error.path.splice(0..0, place.iter().map(|step| (*step).to_owned()));
    error
}
