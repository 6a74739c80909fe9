//! The line by which a browser finds the code in a text message and the page that it is for.

use actix_web::HttpRequest;
use actix_web::http::header::ORIGIN;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::dialects::kotp::words::INVALID_PARAMETER;
use crate::fields::{Faults, Fields};

/// What became of the wish for such a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct WebOtp {
    /// `applied` or `skipped`.
    status: &'static str,
    /// Why it was skipped: `origin_missing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// A wish for the line, and the host that it names if it can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) host: Option<String>,
}

impl Wish {
    /// What its reply says.
    pub(super) const fn outcome(&self) -> WebOtp {
        match self.host {
            Some(_) => WebOtp { status: "applied", reason: None },
            None => WebOtp { status: "skipped", reason: Some("origin_missing") },
        }
    }
}

/// `webOtp`: `true` for the page that calls, by its `Origin`; or an object that names the page's origin.
pub(super) fn read(request: &HttpRequest, fields: &Fields<'_>, faults: &mut Faults) -> Option<Wish> {
    match fields.get("webOtp")? {
        Value::Bool(false) => None,
        Value::Bool(true) => {
            let origin = request.headers().get(ORIGIN).and_then(|line| line.to_str().ok());
            Some(Wish { host: origin.and_then(host) })
        }
        Value::Object(named) => {
            let named = Fields::new(named, "webOtp.", INVALID_PARAMETER);
            if named.get("origin").is_none() {
                named.refuse("origin", MUST, faults);
            }
            named.parsed("origin", MUST, host, faults).map(|host| Wish { host: Some(host) })
        }
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            fields.refuse("webOtp", "true, false or an object with an origin", faults);
            None
        }
    }
}

const MUST: &str = "the origin of a page, such as https://app.example.com";

/// The host of a page that is fetched over TLS: no other can have the code filled in. Whether it is one, who words the message looks at.
fn host(origin: &str) -> Option<String> {
    let rest = origin.trim().strip_prefix("https://")?;
    let host = match rest.split_once(':') {
        Some((host, port)) => port.parse::<u16>().ok().map(|_| host)?,
        None => rest,
    };
    (!host.is_empty() && !host.contains('/')).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde_json::json;

    use super::*;

    fn wish(value: &Value, origin: Option<&str>) -> Result<Option<Wish>, usize> {
        let request = origin.map_or_else(TestRequest::post, |origin| TestRequest::post().insert_header((ORIGIN, origin)));
        let (object, mut faults) = (json!({"webOtp": value}), Faults::default());
        let fields = Fields::new(object.as_object().unwrap(), "", INVALID_PARAMETER);
        let wish = read(&request.to_http_request(), &fields, &mut faults);
        let told = faults.into_vec().len();
        if told == 0 { Ok(wish) } else { Err(told) }
    }

    #[test]
    fn the_page_is_the_one_that_calls_or_the_one_that_is_named() {
        let page = |host: &str| Ok(Some(Wish { host: Some(host.to_owned()) }));
        assert_eq!(wish(&json!(true), Some("https://App.example.com")), page("app.example.com"));
        assert_eq!(wish(&json!({"origin": "https://app.example.com:8443"}), None), page("app.example.com"));
        assert_eq!(wish(&json!(true), None), Ok(Some(Wish { host: None })));
        assert_eq!((wish(&json!(false), None), wish(&json!(null), None)), (Ok(None), Ok(None)));
    }

    #[test]
    fn what_names_no_page_is_refused() {
        for wrong in
            [json!("yes"), json!(1), json!({}), json!({"origin": "http://a.example"}), json!({"origin": "https://a.example/x"})]
        {
            assert_eq!(wish(&wrong, None), Err(1), "{wrong}");
        }
    }
}
