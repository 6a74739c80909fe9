use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Channel, Code, InvalidRecipient, Recipient, Timestamp};

/// Somebody whose code is known beforehand, so that an app store's reviewer can sign in under a live key: nothing is sent to them.
///
/// Its written form holds the code: that is for the record alone. What operators are shown is [`TestRecipient::without_code`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRecipient {
    /// A number or a mailbox that belongs to nobody else.
    pub recipient: Recipient,
    /// What is always right; none where it is only shown, or kept as it was by a change.
    pub code: Option<Code>,
    /// When it is an ordinary recipient again. No code of it lives longer.
    pub until: Timestamp,
}

impl TestRecipient {
    /// How many of them a service may have.
    pub const MAX: usize = 20;

    /// For people to see.
    #[must_use]
    pub fn without_code(&self) -> Self {
        Self { code: None, ..self.clone() }
    }

    /// Whether it is the one that `recipient` names, in whatever spelling.
    #[must_use]
    pub fn is(&self, recipient: &Recipient) -> bool {
        self.recipient.normalised() == recipient.normalised()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    recipient: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    until: String,
}

impl Serialize for TestRecipient {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let code = self.code.as_ref().map(|code| code.expose().to_owned());
        Written { recipient: self.recipient.address().to_owned(), code, until: self.until.to_string() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TestRecipient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        Ok(Self {
            recipient: recipient(&written.recipient).map_err(serde::de::Error::custom)?,
            code: written.code.map(Code::parse).transpose().map_err(serde::de::Error::custom)?,
            until: written.until.parse().map_err(serde::de::Error::custom)?,
        })
    }
}

/// A mailbox has an `@`, a number has none.
fn recipient(text: &str) -> Result<Recipient, InvalidRecipient> {
    Recipient::parse(if text.contains('@') { Channel::Email } else { Channel::Sms }, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_with_its_code_for_the_record_and_shown_without() {
        let written = serde_json::json!({"recipient": "+12025550147", "code": "246813", "until": "2026-12-31T00:00:00.000Z"});
        let read: TestRecipient = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), written);
        let shown = serde_json::to_string(&read.without_code()).unwrap();
        assert!(!shown.contains("246813"), "{shown}");
        assert!(!format!("{read:?}").contains("246813"));
    }

    #[test]
    fn another_spelling_of_a_mailbox_is_the_same_one() {
        let read: TestRecipient =
            serde_json::from_value(serde_json::json!({"recipient": "Review@example.com", "until": "2026-12-31T00:00:00Z"}))
                .unwrap();
        assert!(read.is(&Recipient::parse(Channel::Email, "review@example.com").unwrap()));
        assert!(!read.is(&Recipient::parse(Channel::Email, "reviewer@example.com").unwrap()));
    }

    #[test]
    fn what_is_no_recipient_or_no_code_is_refused() {
        for wrong in [
            serde_json::json!({"recipient": "nobody", "code": "246813", "until": "2026-12-31T00:00:00Z"}),
            serde_json::json!({"recipient": "+12025550147", "code": "12", "until": "2026-12-31T00:00:00Z"}),
            serde_json::json!({"recipient": "+12025550147", "code": "246813"}),
        ] {
            assert!(serde_json::from_value::<TestRecipient>(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
