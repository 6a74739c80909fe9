//! Where the operations live, and by which methods they are called.

use super::form::Form;
use crate::call::Method;
use crate::dialect::Reads;

/// A path of this dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path {
    Send,
    Verify,
    Otp,
    Otps,
    Issue,
    Status,
    Issues,
    OneIssue,
    Balance,
    CreditLedger,
    Templates,
    Template,
}

/// What can be asked here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Send,
    Verify,
    ShowOtp,
    ListOtps,
    Issue,
    ShowStatus,
    ListIssues,
    ShowIssue,
    ShowBalance,
    ListLedger,
    ListTemplates,
    ShowTemplate,
}

/// Whether a path is this dialect's whatever lives there. `/v1/templates` it shares with another: see [`super::Kotp`].
pub(super) fn is_own(path: &str) -> bool {
    let first = path.strip_prefix("/v1/").and_then(|rest| rest.split('/').next());
    matches!(first, Some("send" | "verify" | "status" | "otps" | "issue" | "issues" | "balance" | "credit-ledger"))
}

/// The path, with the part of it that names something.
pub(super) fn find(path: &str) -> Option<(Path, &str)> {
    let rest = path.strip_prefix("/v1/")?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let parts: Vec<&str> = rest.splitn(3, '/').collect();
    let found = match parts[..] {
        ["send"] => (Path::Send, ""),
        ["verify"] => (Path::Verify, ""),
        ["status"] => (Path::Status, ""),
        ["status", name] => (Path::Otp, name),
        ["otps"] => (Path::Otps, ""),
        ["issue"] => (Path::Issue, ""),
        ["issues"] => (Path::Issues, ""),
        ["issues", name] => (Path::OneIssue, name),
        ["balance"] => (Path::Balance, ""),
        ["credit-ledger"] => (Path::CreditLedger, ""),
        ["templates"] => (Path::Templates, ""),
        ["templates", name] => (Path::Template, name),
        _ => return None,
    };
    (!parts.contains(&"")).then_some(found)
}

impl Path {
    /// For logs and metrics: the path without what callers put into it.
    pub(super) const fn template(self) -> &'static str {
        match self {
            Self::Send => "/v1/send",
            Self::Verify => "/v1/verify",
            Self::Otp => "/v1/status/{id}",
            Self::Otps => "/v1/otps",
            Self::Issue => "/v1/issue",
            Self::Status => "/v1/status",
            Self::Issues => "/v1/issues",
            Self::OneIssue => "/v1/issues/{issueId}",
            Self::Balance => "/v1/balance",
            Self::CreditLedger => "/v1/credit-ledger",
            Self::Templates => "/v1/templates",
            Self::Template => "/v1/templates/{templateId}",
        }
    }

    /// How it is called, and what for.
    pub(super) const fn operations(self) -> &'static [(Method, Operation)] {
        match self {
            Self::Send => &[(Method::Post, Operation::Send)],
            Self::Verify => &[(Method::Post, Operation::Verify)],
            Self::Otp => &[(Method::Get, Operation::ShowOtp)],
            Self::Otps => &[(Method::Get, Operation::ListOtps)],
            Self::Issue => &[(Method::Post, Operation::Issue)],
            Self::Status => &[(Method::Get, Operation::ShowStatus)],
            Self::Issues => &[(Method::Get, Operation::ListIssues)],
            Self::OneIssue => &[(Method::Get, Operation::ShowIssue)],
            Self::Balance => &[(Method::Get, Operation::ShowBalance)],
            Self::CreditLedger => &[(Method::Get, Operation::ListLedger)],
            Self::Templates => &[(Method::Get, Operation::ListTemplates)],
            Self::Template => &[(Method::Get, Operation::ShowTemplate)],
        }
    }

    /// Which of the two APIs it belongs to. `/v1/verify` belongs to both: until its body has spoken, to the older one.
    pub(super) const fn form(self) -> Form {
        match self {
            Self::Send | Self::Verify | Self::Otp | Self::Otps => Form::Reference,
            Self::Issue
            | Self::Status
            | Self::Issues
            | Self::OneIssue
            | Self::Balance
            | Self::CreditLedger
            | Self::Templates
            | Self::Template => Form::Sdk,
        }
    }
}

impl Operation {
    /// What it reads.
    pub(super) const fn reads(self) -> Reads {
        if self.writes() { Reads::Body } else { Reads::NoBody }
    }

    /// Whether it changes anything: what a key that only reads may not do.
    pub(super) const fn writes(self) -> bool {
        matches!(self, Self::Send | Self::Verify | Self::Issue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_found_with_or_without_a_slash_at_the_end() {
        assert_eq!(find("/v1/send"), Some((Path::Send, "")));
        assert_eq!(find("/v1/send/"), Some((Path::Send, "")));
        assert_eq!(find("/v1/status"), Some((Path::Status, "")));
        assert_eq!(find("/v1/status/otp_1"), Some((Path::Otp, "otp_1")));
        assert_eq!(find("/v1/issues/otp_1/"), Some((Path::OneIssue, "otp_1")));
        assert_eq!(find("/v1/templates/otp_default_kr"), Some((Path::Template, "otp_default_kr")));
    }

    #[test]
    fn nothing_lives_beside_the_operations() {
        for path in [
            "/",
            "/v1",
            "/v1/",
            "/v1/Send",
            "/v1/send/x",
            "/v1/send//",
            "/v1/status//",
            "/v1/status/a/b",
            "/v2/send",
            "//v1/send",
        ] {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn what_is_own_goes_by_the_first_part() {
        for path in ["/v1/send", "/v1/send/x/y", "/v1/status/", "/v1/credit-ledger"] {
            assert!(is_own(path), "{path}");
        }
        for path in ["/v1/templates", "/v1/verifications", "/v1/sends", "/v1/otp/send", "/v1", "/api/v1/send"] {
            assert!(!is_own(path), "{path}");
        }
    }
}
