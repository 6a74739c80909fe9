//! Where the operations live.

use crate::call::Method;
use crate::dialect::Route;

/// What can be asked here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A code goes out.
    SendOtp,
    /// A code comes back.
    VerifyOtp,
    /// A plain message goes out.
    Send,
}

/// Whether a path is this dialect's, whatever lives there.
pub(super) fn is_own(path: &str) -> bool {
    path.strip_prefix("/api/v1/sms").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What lives at a path, with or without a slash at its end.
pub(super) fn find(path: &str) -> Option<Route<'_, Operation>> {
    let route = |template, operations| Some(Route { template, name: "", operations });
    match path.strip_suffix('/').unwrap_or(path) {
        "/api/v1/sms/send-otp" => route("/api/v1/sms/send-otp", &[(Method::Post, Operation::SendOtp)]),
        "/api/v1/sms/verify-otp" => route("/api/v1/sms/verify-otp", &[(Method::Post, Operation::VerifyOtp)]),
        "/api/v1/sms/send" => route("/api/v1/sms/send", &[(Method::Post, Operation::Send)]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_under_sms_is_its_own() {
        for path in ["/api/v1/sms", "/api/v1/sms/", "/api/v1/sms/send-otp", "/api/v1/sms/nowhere/at/all"] {
            assert!(is_own(path), "{path}");
        }
        for path in ["/api/v1/smsx", "/api/v1/otp/send", "/v1/sms/send", "/api/v1", "/API/v1/sms"] {
            assert!(!is_own(path), "{path}");
        }
    }

    #[test]
    fn a_path_leads_to_its_operation_with_or_without_a_slash_at_the_end() {
        let found = |path| find(path).map(|route| route.operations);
        assert_eq!(found("/api/v1/sms/send-otp"), Some(&[(Method::Post, Operation::SendOtp)][..]));
        assert_eq!(found("/api/v1/sms/verify-otp/"), Some(&[(Method::Post, Operation::VerifyOtp)][..]));
        assert_eq!(found("/api/v1/sms/send"), Some(&[(Method::Post, Operation::Send)][..]));
        for path in ["/api/v1/sms", "/api/v1/sms/send//", "/api/v1/sms/send-otp/x", "/v1/sms/send-otp", "/api/v1/sms/Send"] {
            assert_eq!(found(path), None, "{path}");
        }
    }
}
