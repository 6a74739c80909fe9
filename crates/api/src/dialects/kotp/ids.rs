//! How this dialect names a session.

use countersign_model::SessionId;

/// Reads `otp_` and 32 lower-case hex digits. None: nothing of ours was ever called that.
pub(super) fn session(text: &str) -> Option<SessionId> {
    let hex = text.trim().strip_prefix("otp_")?;
    let sound = hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    u128::from_str_radix(hex, 16).ok().filter(|_| sound).map(SessionId::from_bits)
}

#[cfg(test)]
mod tests {
    use countersign_core::otp_id;

    use super::*;

    #[test]
    fn an_id_is_read_back_as_it_was_written_and_in_no_other_way() {
        let id = SessionId::from_bits(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        let written = otp_id(id);
        assert_eq!((written.as_str(), session(&written)), ("otp_0123456789abcdef0123456789abcdef", Some(id)));
        let upper = written.to_uppercase();
        for wrong in [
            "",
            "otp_",
            "otp_1234567890abcdef",
            &upper,
            &written[4..],
            "otp_+123456789abcdef0123456789abcdef",
            "ses_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        ] {
            assert_eq!(session(wrong), None, "{wrong}");
        }
    }
}
