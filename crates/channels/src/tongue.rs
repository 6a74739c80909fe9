//! Which entry of a vendor's table speaks a language.

/// The entry for a BCP 47 tag: its own, else that of a wider tag (`pt-PT`, then `pt`). None: nobody there speaks it, and words in one language
/// are never read by the voice of another. RFC 4647, section 3.4.
pub(crate) fn nearest<'a, T>(entries: impl IntoIterator<Item = (&'a str, T)>, tag: &str) -> Option<T> {
    let mut entries: Vec<(&str, T)> = entries.into_iter().collect();
    let mut wanted = tag.replace('_', "-");
    loop {
        if let Some(position) = entries.iter().position(|(known, _)| known.eq_ignore_ascii_case(&wanted)) {
            return Some(entries.swap_remove(position).1);
        }
        let (wider, _) = wanted.rsplit_once('-')?;
        // A single letter only introduces what has just been cut off.
        wanted = match wider.rsplit_once('-') {
            Some((front, single)) if single.len() == 1 => front.to_owned(),
            _ => wider.to_owned(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_spoken_by_its_own_voice_or_a_wider_one_and_by_no_other() {
        let table = [("pt", 1), ("pt-PT", 2), ("zh-Hant", 3), ("en", 4)];
        let cases = [
            ("pt-PT", Some(2)),
            ("PT_pt", Some(2)),
            ("pt-BR", Some(1)),
            ("pt", Some(1)),
            ("zh-Hant-TW", Some(3)),
            ("zh", None),
            ("en-GB-x-private", Some(4)),
            ("ka", None),
            ("p", None),
            ("", None),
            ("-", None),
            ("ünïcode-ß", None),
        ];
        for (tag, voice) in cases {
            assert_eq!(nearest(table, tag), voice, "{tag}");
        }
    }
}
