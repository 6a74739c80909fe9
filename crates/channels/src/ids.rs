//! Ids that vendors give.

/// An id as it may be kept: visible ASCII of a sane length, since it goes into records and replies.
pub(crate) fn sound_id(id: &str) -> Option<String> {
    const MAX_ID: usize = 128;
    let sound = (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    sound.then(|| id.to_owned())
}
