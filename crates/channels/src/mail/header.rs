use super::Mailbox;

impl Mailbox {
    /// As it stands in a header, with letters beyond ASCII as they are: whoever takes it over HTTP encodes them.
    pub(crate) fn header(&self) -> String {
        let Some(name) = &self.name else { return self.address.clone() };
        let is_plain = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || " !#$%&'*+-/=?^_`{|}~".contains(c);
        if name.chars().all(is_plain) {
            return format!("{name} <{}>", self.address);
        }
        let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\" <{}>", self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::mailbox;

    #[test]
    fn a_header_survives_being_read() {
        for name in [None, Some("Acme Ltd"), Some("Ärzte"), Some("Acme, \"the\" \\ <Ltd>."), Some("a@b.example")] {
            let mailbox = mailbox(name, "no-reply@acme.example");
            assert_eq!(Mailbox::parse(&mailbox.header()), Some(mailbox.clone()), "{}", mailbox.header());
        }
        assert_eq!(mailbox(Some("Acme Ltd"), "a@b.example").header(), "Acme Ltd <a@b.example>");
        assert_eq!(mailbox(Some("Acme, Ltd"), "a@b.example").header(), "\"Acme, Ltd\" <a@b.example>");
    }
}
