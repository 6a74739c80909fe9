//! From a native call to a command of `core`. Form is checked here; what depends on a service, a session or a count is not.

mod codes;
mod config;
pub(crate) mod contact_list;
pub(crate) mod contacts;
mod handle;
mod headers;
pub(crate) mod list;
mod options;
mod recipients;
pub(crate) mod resend;
pub(crate) mod send;
pub(crate) mod verify;

use actix_web::HttpRequest;
use countersign_core::{Handle, IdempotencyKey, Next};

use crate::body::Body;
use crate::fields::{Faults, Fields};

/// The code of a fault that has no word of its own.
const INVALID_FIELD: &str = "invalid_field";
/// The code of faults in `config`.
const INVALID_CONFIG: &str = "invalid_config";
/// The code of faults in channel names.
const INVALID_CHANNEL: &str = "invalid_channel";

/// A call whose body has been read.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    /// Its headers.
    pub(crate) request: &'a HttpRequest,
    /// Its body.
    pub(crate) body: &'a Body,
}

impl<'a> Input<'a> {
    fn fields(&self) -> Fields<'a> {
        Fields::new(&self.body.object, "", INVALID_FIELD)
    }

    fn strict(&self) -> bool {
        headers::wants_strict(self.request.headers())
    }
}

/// The fields of calls that only name a session.
pub(crate) const HANDLE_FIELDS: [&str; 2] = ["session_token", "token"];

/// A call that only names a session, by its token.
pub(crate) fn named(input: &Input<'_>) -> Result<Handle, Faults> {
    named_by(input, handle::token)
}

/// A look-up, which also takes the session's id.
pub(crate) fn looked_up(input: &Input<'_>) -> Result<Handle, Faults> {
    named_by(input, |fields, faults| handle::token(fields, faults).map(handle::with_ids))
}

/// A session named by the last part of a path.
pub(crate) fn from_path(name: &str) -> Handle {
    handle::with_ids(Handle::Token(name.to_owned()))
}

/// Asks for the next fallback channel.
pub(crate) fn next(input: &Input<'_>) -> Result<Next, Faults> {
    named(input).map(|handle| Next { handle })
}

/// Asks for a session's end.
pub(crate) fn cancel(input: &Input<'_>) -> Result<(Handle, Option<IdempotencyKey>), Faults> {
    let mut faults = Faults::default();
    let handle = named(input).map_err(|found| faults.append(found)).ok();
    let idempotency = headers::idempotency(input, "otp/cancel", &mut faults);
    faults.or(handle.map(|handle| (handle, idempotency)))
}

fn named_by(input: &Input<'_>, read: impl FnOnce(&Fields<'_>, &mut Faults) -> Option<Handle>) -> Result<Handle, Faults> {
    let mut faults = Faults::default();
    let handle = read(&input.fields(), &mut faults);
    if input.strict() {
        input.fields().only(&HANDLE_FIELDS, &mut faults);
    }
    faults.or(handle)
}

/// The fields that are read, for each call and object as the description of the wire names them.
#[cfg(test)]
pub(crate) fn known_fields() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        ("SendRequest", send::FIELDS.to_vec()),
        ("SendConfig", config::CONFIG_FIELDS.to_vec()),
        ("FallbackChannel", recipients::FALLBACK_FIELDS.to_vec()),
        ("AutofillRequest", options::AUTOFILL_FIELDS.to_vec()),
        ("VerifyRequest", verify::FIELDS.to_vec()),
        ("ResendRequest", resend::FIELDS.to_vec()),
        ("NextRequest", HANDLE_FIELDS.to_vec()),
        ("StatusRequest", HANDLE_FIELDS.to_vec()),
        ("CancelRequest", HANDLE_FIELDS.to_vec()),
        ("ContactRequest", contacts::FIELDS.to_vec()),
        ("BulkContactsRequest", contacts::BULK_FIELDS.to_vec()),
        ("UnsubscribeRequest", Vec::new()),
    ]
}

/// The query parameters that are read, by path.
#[cfg(test)]
pub(crate) fn known_parameters() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![("/api/v1/otp/sessions", list::PARAMETERS.to_vec()), ("/api/v1/contacts", contact_list::PARAMETERS.to_vec())]
}

#[cfg(test)]
pub(crate) mod testing {
    //! A call without a server.

    use actix_web::HttpRequest;
    use actix_web::test::TestRequest;
    use actix_web::web::Bytes;
    use serde_json::Value;

    use super::Input;
    use crate::body::Body;
    use crate::fields::{Fault, Faults};

    /// Parses `value` as the body of a call with `headers`.
    pub(crate) fn parse_with<T>(
        value: &Value,
        headers: &[(&str, &str)],
        parse: impl FnOnce(&Input<'_>) -> Result<T, Faults>,
    ) -> Result<T, Vec<Fault>> {
        let request = headers.iter().fold(TestRequest::post(), |request, header| request.append_header(*header));
        let request: HttpRequest = request.to_http_request();
        let body = Body { bytes: Bytes::from(value.to_string()), object: value.as_object().unwrap().clone() };
        parse(&Input { request: &request, body: &body }).map_err(Faults::into_vec)
    }

    /// The field and code of the only fault.
    pub(crate) fn only_fault<T: std::fmt::Debug>(parsed: Result<T, Vec<Fault>>) -> (String, &'static str, String) {
        let mut faults = parsed.expect_err("the call is refused");
        assert_eq!(faults.len(), 1, "{faults:?}");
        let Fault { field, code, message } = faults.remove(0);
        (field, code, message)
    }
}
