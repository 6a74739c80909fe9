//! Where the operations live, and by which methods they are called.

use crate::call::Method;
use crate::dialect::Reads;

/// A path of this dialect. Both mounts of a path are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    Send,
    Verify,
    Resend,
    Next,
    Status,
    Cancel,
    Sessions,
    Session,
    Contacts,
    ContactsBulk,
    Contact,
    ContactByExternalId,
    Unsubscribe,
    Account,
}

/// What can be asked here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Send,
    Verify,
    Resend,
    Next,
    Status,
    Cancel,
    ListSessions,
    ShowSession,
    ListContacts,
    CreateContact,
    BulkContacts,
    ShowContact,
    PatchContact,
    PutContact,
    RemoveContact,
    ShowContactByExternalId,
    PatchContactByExternalId,
    PutContactByExternalId,
    RemoveContactByExternalId,
    UnsubscribeContact,
    ShowAccount,
}

/// Whether a path is this dialect's whatever lives there: `/v1` it shares with others.
pub(super) fn is_own(path: &str) -> bool {
    let Some(rest) = path.strip_prefix("/v1/") else { return false };
    matches!(rest.split('/').next(), Some("otp" | "contacts" | "account"))
}

/// The path, with the part of it that names something. Both mounts lead to the same.
pub(super) fn find(path: &str) -> Option<(Path, &str)> {
    let rest = path.strip_prefix("/api/v1/").or_else(|| path.strip_prefix("/v1/"))?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let parts: Vec<&str> = rest.splitn(5, '/').collect();
    let found = match parts[..] {
        ["otp", "send"] => (Path::Send, ""),
        ["otp", "verify"] => (Path::Verify, ""),
        ["otp", "resend"] => (Path::Resend, ""),
        ["otp", "next"] => (Path::Next, ""),
        ["otp", "status"] => (Path::Status, ""),
        ["otp", "cancel"] => (Path::Cancel, ""),
        ["otp", "sessions"] => (Path::Sessions, ""),
        ["otp", "sessions", name] => (Path::Session, name),
        ["contacts"] => (Path::Contacts, ""),
        ["contacts", "bulk"] => (Path::ContactsBulk, ""),
        ["contacts", "external", name] => (Path::ContactByExternalId, name),
        ["contacts", name, "unsubscribe"] => (Path::Unsubscribe, name),
        ["contacts", name] => (Path::Contact, name),
        ["account"] => (Path::Account, ""),
        _ => return None,
    };
    (!parts.contains(&"")).then_some(found)
}

impl Path {
    /// For logs and metrics: the path without what callers put into it.
    pub(super) const fn template(self) -> &'static str {
        match self {
            Self::Send => "/api/v1/otp/send",
            Self::Verify => "/api/v1/otp/verify",
            Self::Resend => "/api/v1/otp/resend",
            Self::Next => "/api/v1/otp/next",
            Self::Status => "/api/v1/otp/status",
            Self::Cancel => "/api/v1/otp/cancel",
            Self::Sessions => "/api/v1/otp/sessions",
            Self::Session => "/api/v1/otp/sessions/{session}",
            Self::Contacts => "/api/v1/contacts",
            Self::ContactsBulk => "/api/v1/contacts/bulk",
            Self::Contact => "/api/v1/contacts/{contact}",
            Self::ContactByExternalId => "/api/v1/contacts/external/{external_id}",
            Self::Unsubscribe => "/api/v1/contacts/{contact}/unsubscribe",
            Self::Account => "/api/v1/account",
        }
    }

    /// How it is called, and what for.
    pub(super) const fn operations(self) -> &'static [(Method, Operation)] {
        match self {
            Self::Send => &[(Method::Post, Operation::Send)],
            Self::Verify => &[(Method::Post, Operation::Verify)],
            Self::Resend => &[(Method::Post, Operation::Resend)],
            Self::Next => &[(Method::Post, Operation::Next)],
            Self::Status => &[(Method::Post, Operation::Status)],
            Self::Cancel => &[(Method::Post, Operation::Cancel)],
            Self::Sessions => &[(Method::Get, Operation::ListSessions)],
            Self::Session => &[(Method::Get, Operation::ShowSession)],
            Self::Contacts => &[(Method::Get, Operation::ListContacts), (Method::Post, Operation::CreateContact)],
            Self::ContactsBulk => &[(Method::Post, Operation::BulkContacts)],
            Self::Contact => &[
                (Method::Get, Operation::ShowContact),
                (Method::Patch, Operation::PatchContact),
                (Method::Put, Operation::PutContact),
                (Method::Delete, Operation::RemoveContact),
            ],
            Self::ContactByExternalId => &[
                (Method::Get, Operation::ShowContactByExternalId),
                (Method::Patch, Operation::PatchContactByExternalId),
                (Method::Put, Operation::PutContactByExternalId),
                (Method::Delete, Operation::RemoveContactByExternalId),
            ],
            Self::Unsubscribe => &[(Method::Post, Operation::UnsubscribeContact)],
            Self::Account => &[(Method::Get, Operation::ShowAccount)],
        }
    }
}

impl Operation {
    /// What it reads.
    pub(super) const fn reads(self) -> Reads {
        match self {
            Self::Send
            | Self::Verify
            | Self::Resend
            | Self::Next
            | Self::Status
            | Self::Cancel
            | Self::CreateContact
            | Self::BulkContacts
            | Self::PatchContact
            | Self::PutContact
            | Self::PatchContactByExternalId
            | Self::PutContactByExternalId => Reads::Body,
            Self::UnsubscribeContact => Reads::MaybeBody,
            Self::ListSessions
            | Self::ShowSession
            | Self::ListContacts
            | Self::ShowContact
            | Self::RemoveContact
            | Self::ShowContactByExternalId
            | Self::RemoveContactByExternalId
            | Self::ShowAccount => Reads::NoBody,
        }
    }

    /// Whether it changes anything: what a key that only reads may not do.
    pub(super) const fn writes(self) -> bool {
        match self {
            Self::Send
            | Self::Verify
            | Self::Resend
            | Self::Next
            | Self::Cancel
            | Self::CreateContact
            | Self::BulkContacts
            | Self::PatchContact
            | Self::PutContact
            | Self::RemoveContact
            | Self::PatchContactByExternalId
            | Self::PutContactByExternalId
            | Self::RemoveContactByExternalId
            | Self::UnsubscribeContact => true,
            Self::Status
            | Self::ListSessions
            | Self::ShowSession
            | Self::ListContacts
            | Self::ShowContact
            | Self::ShowContactByExternalId
            | Self::ShowAccount => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_mounts_lead_to_the_same_operations_with_or_without_a_slash_at_the_end() {
        for path in ["/api/v1/otp/send", "/v1/otp/send", "/api/v1/otp/send/", "/v1/otp/send/"] {
            assert_eq!(find(path), Some((Path::Send, "")), "{path}");
        }
        assert_eq!(find("/v1/otp/sessions/"), Some((Path::Sessions, "")));
        assert_eq!(find("/v1/otp/sessions/ses_1/"), Some((Path::Session, "ses_1")));
        for mount in ["/api/v1", "/v1"] {
            let found = |rest: &str| find(&format!("{mount}{rest}")).map(|(path, _)| path);
            assert_eq!(found("/account"), Some(Path::Account));
            assert_eq!(found("/contacts/"), Some(Path::Contacts));
            assert_eq!(found("/contacts/con_1"), Some(Path::Contact));
            assert_eq!(found("/contacts/con_1/unsubscribe"), Some(Path::Unsubscribe));
            assert_eq!(found("/contacts/external/crm-7"), Some(Path::ContactByExternalId));
            assert_eq!(found("/contacts/bulk"), Some(Path::ContactsBulk));
        }
    }

    #[test]
    fn nothing_lives_beside_the_operations() {
        for path in [
            "/",
            "/v1",
            "/api/v1/otp",
            "/api/v1/otp/",
            "/api/v1/otp/Send",
            "/api/v1/otp/send//",
            "/v1/otp/sessions//",
            "/v1/otp/sessions/a/b",
            "/v2/otp/send",
            "//v1/otp/send",
            "/v1/account/x",
            "/v1/contacts//",
            "/v1/contacts//unsubscribe",
            "/v1/contacts/external//",
            "/v1/contacts/external/a/b",
            "/v1/contacts/con_1/unsubscribe/x/y/z",
        ] {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn a_method_stands_at_a_path_once() {
        let paths = ["/v1/contacts", "/v1/contacts/a", "/v1/contacts/external/a", "/v1/otp/send", "/v1/account"];
        for (path, _) in paths.iter().filter_map(|path| find(path)) {
            let methods: Vec<Method> = path.operations().iter().map(|(method, _)| *method).collect();
            assert!(methods.iter().enumerate().all(|(at, method)| !methods[..at].contains(method)), "{path:?}");
        }
    }
}
