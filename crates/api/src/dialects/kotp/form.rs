//! The vendor has two APIs under one address, with errors of two forms. Which of them a reply is written in.

use actix_web::{HttpMessage, HttpRequest};

use super::paths;
use crate::body::Body;

/// One of the vendor's two APIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// That of its reference page: `/v1/send` and what belongs to it.
    Reference,
    /// That which its SDK speaks: `/v1/issue` and what belongs to it.
    Sdk,
}

impl Form {
    /// That of a call: by its path and, once it was read, by its body. A path that nobody knows is answered in the older form.
    pub(super) fn of(request: &HttpRequest) -> Self {
        let chosen = request.extensions().get::<Self>().copied();
        chosen.unwrap_or_else(|| paths::find(request.path()).map_or(Self::Reference, |(path, _)| path.form()))
    }

    /// What the body of a verification chooses: `issueId` belongs to the newer API, `id` or neither to the older one.
    pub(super) fn chosen_by(body: &Body) -> Self {
        let has = |name: &str| body.object.get(name).is_some_and(|value| !value.is_null());
        if has("issueId") && !has("id") { Self::Sdk } else { Self::Reference }
    }

    /// Remembers it for whatever the call is answered with.
    pub(super) fn note(self, request: &HttpRequest) {
        request.extensions_mut().insert(self);
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde_json::json;

    use super::*;

    fn chosen(value: &serde_json::Value) -> Form {
        Form::chosen_by(&Body { object: value.as_object().unwrap().clone(), ..Body::default() })
    }

    #[test]
    fn a_verification_is_told_apart_by_its_body() {
        assert_eq!(chosen(&json!({"issueId": "otp_1", "code": "1"})), Form::Sdk);
        for older in [json!({"id": "otp_1"}), json!({}), json!({"issueId": null}), json!({"id": "a", "issueId": "b"})] {
            assert_eq!(chosen(&older), Form::Reference, "{older}");
        }
    }

    #[test]
    fn a_path_has_its_form_until_a_body_chooses() {
        let at = |path: &str| Form::of(&TestRequest::with_uri(path).to_http_request());
        assert_eq!((at("/v1/send"), at("/v1/status/x"), at("/v1/nowhere")), (Form::Reference, Form::Reference, Form::Reference));
        assert_eq!((at("/v1/issue"), at("/v1/status?issueId=x"), at("/v1/templates")), (Form::Sdk, Form::Sdk, Form::Sdk));
        let verify = TestRequest::with_uri("/v1/verify").to_http_request();
        assert_eq!(Form::of(&verify), Form::Reference);
        Form::Sdk.note(&verify);
        assert_eq!(Form::of(&verify), Form::Sdk);
    }
}
