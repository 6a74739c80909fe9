//! How Amazon's services say no.

use reqwest::Url;
use serde::Deserialize;

use crate::http::{self, Reply};
use crate::provider::{CheckError, Diagnostic, TryOutcome};

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "__type")]
    kind: Option<String>,
    code: Option<String>,
}

/// The error's name, from the header or the body, wherever the service puts it.
pub(crate) fn kind(reply: &Reply) -> Option<String> {
    let header = reply.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let named = header.or_else(|| reply.json::<Named>().and_then(|named| named.kind.or(named.code)))?;
    // `com.amazon.service#Name` in bodies, `Name:http://internal.amazon.com/…` in headers.
    let name = named.split(':').next().and_then(|name| name.rsplit('#').next())?;
    Some(name.to_owned())
}

/// What errors mean that every service knows; none: it is the service's own.
pub(crate) fn common(kind: &str) -> Option<TryOutcome> {
    let outcome = match kind {
        "ThrottlingException" | "Throttling" | "TooManyRequestsException" | "RequestLimitExceeded" | "RequestThrottled" => {
            TryOutcome::Throttled(Diagnostic::Note("too many requests"))
        }
        "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation" | "OptInRequired" => {
            TryOutcome::Misconfigured(Diagnostic::Note("the keys may not do this"))
        }
        "RequestExpired" | "RequestTimeTooSkewed" => TryOutcome::Misconfigured(Diagnostic::Note("the machine's clock is wrong")),
        kind if is_about_keys(kind) => TryOutcome::Misconfigured(Diagnostic::Note("the keys are not known")),
        _ => return None,
    };
    Some(outcome)
}

fn is_about_keys(kind: &str) -> bool {
    matches!(
        kind,
        "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "NotAuthorized"
    )
}

/// What the reply to a harmless question says of the keys. That they may not ask it says at least that they are known: which rights they have
/// is looked at only then.
pub(crate) fn check(reply: &Reply, url: &Url) -> Result<(), CheckError> {
    let (address, kind) = (http::address(url), kind(reply).unwrap_or_default());
    match reply.status {
        200..=299 => Ok(()),
        _ if matches!(kind.as_str(), "AccessDeniedException" | "AccessDenied") => Ok(()),
        _ if is_about_keys(&kind) => Err(CheckError::Credentials { address }),
        _ => Err(CheckError::Answer { address, diagnostic: reply.diagnostic() }),
    }
}
