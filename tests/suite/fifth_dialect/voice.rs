//! A dialect that nobody speaks: calls are JSON, answers are one line of text.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderMap, HeaderValue};
use countersign_api::dialect::{Body, Call, Edge, Method, Reads, Route, Voice, retry_after};
use countersign_core::{AuthError, Caller, Guess, Guesses, Handle, Quota, Refusal, Send, SendError, Verify};
use countersign_model::{Channel, Dialect, PhoneNumber, Recipient, SessionId};

/// The dialect.
#[derive(Debug)]
pub(super) struct Fifth;

/// What can be asked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operation {
    Ask,
    Answer,
    Stumble,
}

/// Status, and what is said.
pub(super) struct Said(StatusCode, String);

/// The same, and what its headers tell.
pub(super) struct Complaint {
    said: Said,
    allow: Option<String>,
    wait: Option<std::time::Duration>,
}

fn complaint(status: StatusCode, words: &str) -> Complaint {
    Complaint { said: Said(status, format!("oh no: {words}")), allow: None, wait: None }
}

impl Voice for Fifth {
    type Operation = Operation;
    type Reply = Said;
    type Failure = Complaint;

    fn name(&self) -> &'static str {
        "fifth"
    }

    fn owns(&self, path: &str, _: &HeaderMap) -> bool {
        path.starts_with("/fifth/")
    }

    fn find<'p>(&self, path: &'p str) -> Option<Route<'p, Operation>> {
        let route = |template, name, operations| Some(Route { template, name, operations });
        match path.strip_prefix("/fifth/")?.split('/').collect::<Vec<_>>()[..] {
            ["codes"] => route("/fifth/codes", "", &[(Method::Post, Operation::Ask)]),
            ["codes", session] => route("/fifth/codes/{session}", session, &[(Method::Put, Operation::Answer)]),
            ["stumble"] => route("/fifth/stumble", "", &[(Method::Get, Operation::Stumble)]),
            _ => None,
        }
    }

    fn reads(&self, operation: Operation) -> Reads {
        match operation {
            Operation::Ask | Operation::Answer => Reads::Body,
            Operation::Stumble => Reads::NoBody,
        }
    }

    fn writes(&self, operation: Operation) -> bool {
        match operation {
            Operation::Ask | Operation::Answer => true,
            Operation::Stumble => false,
        }
    }

    async fn authenticate(&self, call: &Call<'_>, _: Operation, _: &Body) -> Result<Caller, Complaint> {
        call.authenticate(call.header("x-fifth-key")).await.map_err(|error| match error {
            AuthError::Refused => complaint(StatusCode::UNAUTHORIZED, "who are you?"),
            AuthError::TooMany { wait } => Complaint { wait: Some(wait), ..complaint(StatusCode::TOO_MANY_REQUESTS, "go away") },
            AuthError::Unavailable => complaint(StatusCode::SERVICE_UNAVAILABLE, "come back later"),
        })
    }

    async fn run(
        &self,
        call: &Call<'_>,
        operation: Operation,
        name: &str,
        body: &Body,
        caller: &Caller,
    ) -> Result<Said, Complaint> {
        let field = |field: &str| body.object.get(field).and_then(serde_json::Value::as_str);
        match operation {
            Operation::Ask => {
                let phone = field("phone").and_then(|phone| PhoneNumber::parse(phone).ok());
                let phone = phone.ok_or_else(|| complaint(StatusCode::BAD_REQUEST, "whose phone?"))?;
                let command = Send::to(Dialect::Native, Channel::Sms, Recipient::Phone(phone));
                let sent = call.platform().send(caller, command).await.map_err(|error| match error {
                    SendError::Refused(refusal) => refused(&refusal),
                    other => complaint(StatusCode::BAD_REQUEST, &other.to_string()),
                })?;
                let code = sent.codes.as_ref().and_then(|codes| codes.get(&Channel::Sms));
                Ok(Said(
                    StatusCode::CREATED,
                    format!("{} {}", sent.session.id(), code.map_or("on its way", |code| code.expose())),
                ))
            }
            Operation::Answer => {
                let session: SessionId = name.parse().map_err(|_| complaint(StatusCode::GONE, "never heard of it"))?;
                let guess = field("code").and_then(Guess::read);
                let guess = guess.ok_or_else(|| complaint(StatusCode::BAD_REQUEST, "what code?"))?;
                let command = Verify { handle: Handle::Id(session), guesses: Guesses::Unnamed(guess), idempotency: None };
                let verified = call.platform().verify(caller, command).await.map_err(|refusal| refused(&refusal))?;
                let word = if verified.judgement.session_verified { "yes" } else { "no" };
                Ok(Said(StatusCode::OK, word.to_owned()))
            }
            Operation::Stumble => panic!("a defect, on purpose"),
        }
    }

    fn stopped(&self, _: &Call<'_>, edge: Edge) -> Complaint {
        match edge {
            Edge::NotFound => complaint(StatusCode::NOT_FOUND, "nothing there"),
            Edge::MethodNotAllowed { allow } => {
                Complaint { allow: Some(allow), ..complaint(StatusCode::METHOD_NOT_ALLOWED, "not like that") }
            }
            Edge::Body(error) => complaint(StatusCode::BAD_REQUEST, &error.to_string()),
            Edge::ReadOnly => complaint(StatusCode::FORBIDDEN, "just looking, you said"),
            Edge::Refused(refusal) => refused(&refusal),
            Edge::Internal => complaint(StatusCode::INTERNAL_SERVER_ERROR, "I stumbled"),
        }
    }

    fn print(&self, call: &Call<'_>, outcome: Result<Said, Complaint>, quota: Option<&Quota>) -> HttpResponse {
        let (Said(status, words), allow, wait) = match outcome {
            Ok(said) => (said, None, None),
            Err(Complaint { said, allow, wait }) => (said, allow, wait),
        };
        let mut response = call.reply(status, "text/plain; charset=utf-8", words.into_bytes(), quota);
        if let Some(allow) = allow {
            response.headers_mut().insert(ALLOW, HeaderValue::from_str(&allow).unwrap());
        }
        if let Some(wait) = wait {
            retry_after(response.headers_mut(), wait);
        }
        response
    }

    fn openapi(&self) -> Option<String> {
        Some(r#"{"openapi":"3.1.0","info":{"title":"Fifth","version":"1"},"paths":{}}"#.to_owned())
    }
}

/// In earnest every refusal would have its word.
fn refused(refusal: &Refusal) -> Complaint {
    match refusal {
        Refusal::TooManyCalls { wait } => {
            Complaint { wait: Some(*wait), ..complaint(StatusCode::TOO_MANY_REQUESTS, "slowly, please") }
        }
        other => complaint(StatusCode::CONFLICT, &other.to_string()),
    }
}
