use countersign_model::EmailAddress;

/// Whom mail comes from: an address, and the name that people see before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mailbox {
    pub(crate) name: Option<String>,
    pub(crate) address: String,
}

impl Mailbox {
    /// Reads `no-reply@example.com`, `Example <no-reply@example.com>` or `"Example, Inc." <no-reply@example.com>`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.contains(char::is_control) {
            return None;
        }
        let Some(bracketed) = text.trim().strip_suffix('>') else {
            return Some(Self { name: None, address: address(text.trim())? });
        };
        let (words, inner) = bracketed.rsplit_once('<')?;
        let words = words.trim();
        let name = if words.is_empty() { None } else { Some(name(words)?) };
        Some(Self { name, address: address(inner)? })
    }

    /// This mailbox under the name that a caller chose, or at the address if it is one.
    pub(crate) fn chosen(&self, sender: Option<&str>) -> Self {
        match sender.map(|sender| (sender, address(sender))) {
            None => self.clone(),
            Some((_, Some(address))) => Self { name: self.name.clone(), address },
            Some((name, None)) => Self { name: Some(name.to_owned()), address: self.address.clone() },
        }
    }
}

fn address(text: &str) -> Option<String> {
    EmailAddress::parse(text).ok().map(|address| address.as_str().to_owned())
}

/// The name before an address, freed of its quotes; none: it is not to be read.
fn name(words: &str) -> Option<String> {
    let Some(quoted) = words.strip_prefix('"') else {
        return (!words.contains(['"', '<', '>', '\\'])).then(|| words.to_owned());
    };
    let mut name = String::new();
    let mut letters = quoted.strip_suffix('"')?.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return None,
            '\\' => name.push(letters.next()?),
            _ => name.push(letter),
        }
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::mailbox;

    #[test]
    fn a_mailbox_is_read_with_and_without_a_name() {
        for (text, name) in [
            ("no-reply@acme.example", None),
            ("<no-reply@acme.example>", None),
            ("Acme Ltd <no-reply@acme.example>", Some("Acme Ltd")),
            ("Ärzte für Köln <no-reply@acme.example>", Some("Ärzte für Köln")),
            ("\"Acme, \\\"the\\\" \\\\ Ltd.\" <no-reply@acme.example>", Some("Acme, \"the\" \\ Ltd.")),
        ] {
            assert_eq!(Mailbox::parse(text), Some(mailbox(name, "no-reply@acme.example")), "{text}");
        }
        for wrong in [
            "",
            "Acme",
            "Acme <>",
            "Acme <acme>",
            "Acme <no-reply@acme.example",
            "\"Acme <no-reply@acme.example>",
            "\"Acme\\\" <no-reply@acme.example>",
            "A\"b <no-reply@acme.example>",
            "Acme\r\nBcc: eve@example.com <no-reply@acme.example>",
            "a@acme.example, b@acme.example",
        ] {
            assert_eq!(Mailbox::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn mail_comes_from_the_house_under_the_name_or_at_the_address_that_was_chosen() {
        let house = mailbox(Some("Acme"), "no-reply@acme.example");
        assert_eq!(house.chosen(None), house);
        assert_eq!(house.chosen(Some("Shop 7")), mailbox(Some("Shop 7"), "no-reply@acme.example"));
        assert_eq!(house.chosen(Some("shop@acme.example")), mailbox(Some("Acme"), "shop@acme.example"));
    }
}
