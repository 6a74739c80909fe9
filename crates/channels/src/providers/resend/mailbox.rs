//! Mailboxes, as Resend takes them: without quotes.

use crate::mail::Mailbox;

/// A mailbox with its name as it is: what would need quotes is left out of the name.
pub(super) fn unquoted(mailbox: &Mailbox) -> String {
    let Some(name) = &mailbox.name else { return mailbox.address.clone() };
    let bare: String = name.chars().map(|c| if "()<>[]:;@\\,.\"".contains(c) { ' ' } else { c }).collect();
    let words: Vec<&str> = bare.split_whitespace().collect();
    if words.is_empty() { mailbox.address.clone() } else { format!("{} <{}>", words.join(" "), mailbox.address) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::mailbox;

    #[test]
    fn what_would_need_quotes_is_left_out() {
        assert_eq!(unquoted(&mailbox(Some("Acme, \"the\" <Ltd>."), "a@b.example")), "Acme the Ltd <a@b.example>");
        assert_eq!(unquoted(&mailbox(Some("Ärzte für Köln"), "a@b.example")), "Ärzte für Köln <a@b.example>");
        for nothing in [None, Some("..")] {
            assert_eq!(unquoted(&mailbox(nothing, "a@b.example")), "a@b.example");
        }
    }
}
