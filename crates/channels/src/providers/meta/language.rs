//! Which of the template's languages a message goes out in.

use std::collections::BTreeMap;

use crate::config::{ConfigError, ConfigProblem};

/// The languages that the template has. Meta refuses every other one, so none is guessed.
pub(super) struct Languages {
    /// By tag, in small letters.
    by_tag: BTreeMap<String, String>,
    otherwise: String,
}

impl Languages {
    pub(super) fn read(at: &str, otherwise: &str, by_tag: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let code = |key: String, code: &str| {
            let sound = (2..=12).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
            if sound {
                Ok(code.to_owned())
            } else {
                Err(ConfigError::new(key, ConfigProblem::Form("a language as Meta spells it, such as en_US")))
            }
        };
        let mut read = BTreeMap::new();
        for (tag, language) in by_tag {
            let key = format!("{at}.languages.{tag}");
            if tag.is_empty() || !tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
                return Err(ConfigError::new(key, ConfigProblem::Form("named by a BCP 47 tag, such as pt-BR")));
            }
            read.insert(tag.to_ascii_lowercase(), code(key, language)?);
        }
        Ok(Self { by_tag: read, otherwise: code(format!("{at}.language"), otherwise)? })
    }

    /// The language for a tag: under the tag itself, else under it without its last parts, else the one for everybody.
    pub(super) fn of(&self, tag: &str) -> &str {
        let mut tag = tag.to_ascii_lowercase();
        loop {
            if let Some(code) = self.by_tag.get(&tag) {
                return code;
            }
            match tag.rfind('-') {
                Some(at) => tag.truncate(at),
                None => return &self.otherwise,
            }
        }
    }
}
