//! Where the operations live, and by which methods they are called.

use crate::call::Method;
use crate::dialect::Reads;

/// A path of this dialect. Both mounts of the verifications are one; a slash at the end changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path {
    Verify,
    Verifications,
    Templates,
    Template,
    Senders,
    Webhooks,
    Webhook,
}

/// What can be asked here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Check,
    ListTemplates,
    CreateTemplate,
    ShowTemplate,
    ListSenders,
    ListWebhooks,
    CreateWebhook,
    ShowWebhook,
    UpdateWebhook,
    RemoveWebhook,
}

/// Whether a path is this dialect's whatever lives there. Templates it shares with others: who calls decides.
pub(super) fn is_own(path: &str) -> bool {
    let Some((mount, rest)) = path.strip_prefix('/').and_then(|path| path.split_once('/')) else { return false };
    let part = rest.split('/').next().unwrap_or_default();
    match mount {
        "api" => part == "verify",
        "v1" => ["verifications", "senders", "webhooks"].contains(&part),
        _ => false,
    }
}

/// Whether a path is one on which those who show this vendor's credentials are answered.
pub(super) fn is_shared(path: &str) -> bool {
    path == "/v1" || path.starts_with("/v1/")
}

/// The path, with the part of it that names something.
pub(super) fn find(path: &str) -> Option<(Path, &str)> {
    let path = path.strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let parts: Vec<&str> = path.splitn(4, '/').collect();
    let found = match parts[..] {
        ["api", "verify"] => (Path::Verify, ""),
        ["v1", "verifications"] => (Path::Verifications, ""),
        ["v1", "templates"] => (Path::Templates, ""),
        ["v1", "templates", name] => (Path::Template, name),
        ["v1", "senders"] => (Path::Senders, ""),
        ["v1", "webhooks"] => (Path::Webhooks, ""),
        ["v1", "webhooks", name] => (Path::Webhook, name),
        _ => return None,
    };
    (!parts.contains(&"")).then_some(found)
}

impl Path {
    /// For logs and metrics: the path without what callers put into it.
    pub(super) const fn template(self) -> &'static str {
        match self {
            Self::Verify => "/api/verify/",
            Self::Verifications => "/v1/verifications",
            Self::Templates => "/v1/templates",
            Self::Template => "/v1/templates/{template}",
            Self::Senders => "/v1/senders",
            Self::Webhooks => "/v1/webhooks",
            Self::Webhook => "/v1/webhooks/{webhook}",
        }
    }

    /// How it is called, and what for.
    pub(super) const fn operations(self) -> &'static [(Method, Operation)] {
        match self {
            Self::Verify | Self::Verifications => &[(Method::Get, Operation::Check), (Method::Post, Operation::Create)],
            Self::Templates => &[(Method::Get, Operation::ListTemplates), (Method::Post, Operation::CreateTemplate)],
            Self::Template => &[(Method::Get, Operation::ShowTemplate)],
            Self::Senders => &[(Method::Get, Operation::ListSenders)],
            Self::Webhooks => &[(Method::Get, Operation::ListWebhooks), (Method::Post, Operation::CreateWebhook)],
            Self::Webhook => &[
                (Method::Get, Operation::ShowWebhook),
                (Method::Put, Operation::UpdateWebhook),
                (Method::Delete, Operation::RemoveWebhook),
            ],
        }
    }
}

impl Operation {
    /// What it reads.
    pub(super) const fn reads(self) -> Reads {
        match self {
            Self::Create | Self::CreateTemplate | Self::CreateWebhook | Self::UpdateWebhook => Reads::Body,
            Self::Check
            | Self::ListTemplates
            | Self::ShowTemplate
            | Self::ListSenders
            | Self::ListWebhooks
            | Self::ShowWebhook
            | Self::RemoveWebhook => Reads::NoBody,
        }
    }

    /// Whether it changes anything: what a key that only reads may not do. A check counts guesses and consumes codes.
    pub(super) const fn writes(self) -> bool {
        match self {
            Self::Create
            | Self::Check
            | Self::CreateTemplate
            | Self::CreateWebhook
            | Self::UpdateWebhook
            | Self::RemoveWebhook => true,
            Self::ListTemplates | Self::ShowTemplate | Self::ListSenders | Self::ListWebhooks | Self::ShowWebhook => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_owned_by_whole_segments() {
        for own in ["/api/verify", "/api/verify/", "/api/verify/x", "/v1/verifications", "/v1/senders/1", "/v1/webhooks/"] {
            assert!(is_own(own), "{own}");
        }
        for foreign in
            ["/api/verifyx", "/api/v1/verify", "/v1/verification", "/v1/verify", "/v1/templates", "/v1", "/", "", "/x/api/verify"]
        {
            assert!(!is_own(foreign), "{foreign}");
        }
    }

    #[test]
    fn everything_under_v1_is_shared_and_nothing_beside_it() {
        assert!(is_shared("/v1") && is_shared("/v1/") && is_shared("/v1/anything"));
        assert!(!is_shared("/v12/templates") && !is_shared("/api/v1/otp/send") && !is_shared("/"));
    }

    #[test]
    fn a_slash_at_the_end_changes_nothing_and_an_empty_part_names_nothing() {
        for path in ["/api/verify", "/api/verify/"] {
            assert_eq!(find(path), Some((Path::Verify, "")), "{path}");
        }
        assert_eq!(find("/v1/templates/7d/"), Some((Path::Template, "7d")));
        for nowhere in ["/api/verify//", "/v1/webhooks//", "/v1/webhooks/a/b", "//api/verify", "/v1", "/api/verify/x"] {
            assert_eq!(find(nowhere), None, "{nowhere}");
        }
    }
}
