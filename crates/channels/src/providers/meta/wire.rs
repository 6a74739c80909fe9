//! Messages and replies as the Cloud API spells them.

use countersign_model::Code;
use serde::Deserialize;
use serde_json::json;

use super::config::Settings;
use super::fault;
use crate::http::Reply;
use crate::ids::sound_id;
use crate::provider::{Rendered, TryOutcome};

/// An authentication template with the code twice: in its words, and behind its button. All kinds of button take the same form.
pub(super) fn body(settings: &Settings, message: &Rendered, code: &Code) -> String {
    let parameters = json!([{"type": "text", "text": code.expose()}]);
    let body = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": message.recipient.address(),
        "type": "template",
        "template": {
            "name": settings.template,
            "language": {"code": settings.languages.of(&message.locale)},
            "components": [
                {"type": "body", "parameters": parameters},
                {"type": "button", "sub_type": "url", "index": "0", "parameters": parameters},
            ],
        },
        "biz_opaque_callback_data": message.reference().to_string(),
    });
    body.to_string()
}

#[derive(Deserialize)]
struct Taken {
    messages: Vec<TakenMessage>,
}

#[derive(Deserialize)]
struct TakenMessage {
    id: String,
}

#[derive(Deserialize)]
struct Failure {
    error: Fault,
}

#[derive(Deserialize)]
struct Fault {
    code: i64,
}

/// The number of the error that a reply tells of.
pub(super) fn code(reply: &Reply) -> Option<i64> {
    reply.json::<Failure>().map(|failure| failure.error.code)
}

/// What a reply to a message means.
pub(super) fn outcome(reply: &Reply) -> TryOutcome {
    if (200..300).contains(&reply.status) {
        let id = reply.json::<Taken>().and_then(|taken| taken.messages.into_iter().next());
        return TryOutcome::Accepted { provider_id: id.and_then(|message| sound_id(&message.id)) };
    }
    code(reply).and_then(fault::at_send).unwrap_or_else(|| reply.outcome())
}
