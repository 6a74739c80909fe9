use countersign_model::Undelivered;

/// What the first RFC 3463 status in a mail server's answer says of the mailbox; none: there is none near its start, or it says nothing about
/// why.
pub(crate) fn undelivered(answer: &str) -> Option<Undelivered> {
    let (class, subject, detail) = answer.split_whitespace().take(4).find_map(status)?;
    match (class, subject, detail) {
        // None such, no such domain, bad form, moved, no mail to this domain (RFC 7505), disabled.
        (5, 1, 1 | 2 | 3 | 6 | 10) | (5, 2, 1) => Some(Undelivered::NotThere),
        (_, 2..=4, 1 | 2) => Some(Undelivered::Unreachable),
        (_, 4, 7) => Some(Undelivered::Expired),
        (_, 6 | 7, _) => Some(Undelivered::Rejected),
        _ => None,
    }
}

fn status(word: &str) -> Option<(u8, u16, u16)> {
    // `550-5.1.1` is how the first of several lines begins.
    let word = word.rsplit(['-', ';', '#']).next().unwrap_or(word);
    let mut numbers = word.trim_matches(|c: char| !c.is_ascii_digit()).split('.');
    let (class, subject, detail) = (numbers.next()?, numbers.next()?, numbers.next()?);
    if numbers.next().is_some() {
        return None;
    }
    let class = class.parse().ok().filter(|class| matches!(class, 4 | 5))?;
    let bounded = |number: &str| number.parse().ok().filter(|number: &u16| *number <= 999);
    Some((class, bounded(subject)?, bounded(detail)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_near_the_start_says_why() {
        use Undelivered::{Expired, NotThere, Rejected, Unreachable};
        for (answer, why) in [
            ("5.1.1", Some(NotThere)),
            ("550 5.1.1 The email account that you tried to reach does not exist", Some(NotThere)),
            ("smtp; 550 5.1.1 user unknown", Some(NotThere)),
            ("550-5.1.1 gone", Some(NotThere)),
            ("550 #5.1.10 no mail here", Some(NotThere)),
            ("5.2.1", Some(NotThere)),
            ("4.2.1", Some(Unreachable)),
            ("552 5.2.2 over quota", Some(Unreachable)),
            ("4.4.1", Some(Unreachable)),
            ("4.4.7", Some(Expired)),
            ("5.7.1", Some(Rejected)),
            ("554 5.6.0 content", Some(Rejected)),
            ("5.0.0", None),
            ("500 unknown recipient", None),
            ("from 10.5.1.1 to nobody", None),
            ("we tried it for so long: 5.1.1", None),
            ("", None),
            ("9.1.1", None),
            ("5.1.99999", None),
        ] {
            assert_eq!(undelivered(answer), why, "{answer}");
        }
    }
}
