//! What replies say to people.
//!
//! Clients tell outcomes apart by words in these texts, so once a session is found only the wrong-code message may contain "invalid",
//! only expiry "expired", only locking "maximum". A test over [`super::error`] holds that.

pub(super) const SENT: &str = "OTP sent";
pub(super) const RESENT: &str = "OTP resent";
pub(super) const VERIFIED: &str = "OTP verified";
pub(super) const WRONG_CODE: &str = "Invalid OTP";
pub(super) const CHANNEL_NOT_FOUND: &str = "Channel not found in session";
pub(super) const CHANNEL_VERIFIED: &str = "Channel already verified";
pub(super) const NO_ADDRESS: &str = "A contact needs an email or a phone";
