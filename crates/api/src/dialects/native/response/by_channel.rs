use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};

/// A JSON object with a value for each channel, in the order of the list. Names are those of channels, or a caller's own word for what is none.
#[derive(Debug, Clone)]
pub(crate) struct ByChannel<V>(pub(crate) Vec<(Cow<'static, str>, V)>);

impl<V> FromIterator<(countersign_model::Channel, V)> for ByChannel<V> {
    fn from_iter<I: IntoIterator<Item = (countersign_model::Channel, V)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(channel, value)| (Cow::Borrowed(channel.as_str()), value)).collect())
    }
}

impl<V: Serialize> Serialize for ByChannel<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name.as_ref(), value)?;
        }
        map.end()
    }
}
