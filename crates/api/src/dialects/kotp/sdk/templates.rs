//! `GET /v1/templates` and `GET /v1/templates/{templateId}`.

use countersign_core::{Caller, Platform};
use countersign_model::{Channel, Template};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::dialects::kotp::Reply;
use crate::dialects::kotp::error;
use crate::dialects::kotp::failure::Failure;
use crate::dialects::kotp::words;

/// The template of issues that name none.
pub(super) const DEFAULT_TEMPLATE: &str = "otp_default_kr";
/// What the built-in words come to in English, where the tenant has none of its own.
const DEFAULT_BODY: &str = "#{code} is your #{app} code. It expires in #{minutes} minutes. Never share it.";
const NOTE: &str =
    "Made by the operator. #{code}, #{app} and #{minutes} are filled in by the service; issues bring no variables of their own.";

/// The templates of text messages.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TemplatesReply {
    /// What issues that name none are worded by.
    default_template_id: &'static str,
    templates: Vec<TemplateRow>,
    note: &'static str,
}

/// A template in the list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TemplateRow {
    /// For `templateId` of an issue. A template can be called by its name just as well.
    template_id: String,
    name: String,
    is_default: bool,
    /// Always empty: there is no `AlimTalk`.
    provider_template_code: &'static str,
    channel_support: [&'static str; 1],
    /// With `#{code}` where the code goes.
    body: String,
}

/// A template by itself.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TemplateReply {
    template_id: String,
    name: String,
    channel_support: [&'static str; 1],
    /// With `#{code}` where the code goes.
    body: String,
    variables: Variables,
}

/// What an issue may fill in: nothing.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Variables {
    required: [String; 0],
    #[schema(value_type = Object)]
    properties: Map<String, Value>,
    additional_properties: bool,
}

/// List templates
#[utoipa::path(
    get, path = "/v1/templates", tag = "templates", operation_id = "listTemplates", security(("api_key" = [])),
    responses((status = 200, description = "All of them.", body = TemplatesReply))
)]
pub(crate) async fn list(platform: &Platform, caller: &Caller) -> Result<Reply, Failure> {
    let templates = rows(platform, caller).await?;
    Reply::new(&TemplatesReply { default_template_id: DEFAULT_TEMPLATE, templates, note: NOTE })
}

/// Look at a template
#[utoipa::path(
    get, path = "/v1/templates/{templateId}", tag = "templates", operation_id = "showTemplate", security(("api_key" = [])),
    params(("templateId" = String, Path, description = "From the list, or a template's name.")),
    responses((status = 200, description = "The template.", body = TemplateReply),
              (status = 404, description = "`NOT_FOUND`: there is no such template."))
)]
pub(crate) async fn show(platform: &Platform, caller: &Caller, name: &str) -> Result<Reply, Failure> {
    let rows = rows(platform, caller).await?;
    let named = rows.iter().position(|row| row.template_id == name).or_else(|| rows.iter().position(|row| row.name == name));
    let found = named.and_then(|place| rows.into_iter().nth(place));
    let row = found.ok_or_else(|| Failure::new(words::NOT_FOUND, "There is no such template"))?;
    let TemplateRow { template_id, name, channel_support, body, .. } = row;
    let variables = Variables { required: [], properties: Map::new(), additional_properties: false };
    Reply::new(&TemplateReply { template_id, name, channel_support, body, variables })
}

/// The default one, and those of the tenant that word text messages.
async fn rows(platform: &Platform, caller: &Caller) -> Result<Vec<TemplateRow>, Failure> {
    let templates = platform.templates(caller, None, 0, usize::MAX).await.map_err(error::of_refusal)?.rows;
    let texts = || templates.iter().filter(|template| template.channel == Channel::Sms);
    let own = texts().find(|template| !template.by_choice && template.service.is_none());
    let usual = TemplateRow {
        template_id: DEFAULT_TEMPLATE.to_owned(),
        name: "default".to_owned(),
        is_default: true,
        provider_template_code: "",
        channel_support: [Channel::Sms.as_str()],
        body: own.map_or_else(|| DEFAULT_BODY.to_owned(), |template| shown(&template.body)),
    };
    Ok(std::iter::once(usual).chain(texts().map(row)).collect())
}

fn row(template: &Template) -> TemplateRow {
    TemplateRow {
        template_id: template.id.to_string(),
        name: template.name.clone(),
        is_default: false,
        provider_template_code: "",
        channel_support: [Channel::Sms.as_str()],
        body: shown(&template.body),
    }
}

/// Our `{{ code }}` as this API writes it: `#{code}`.
fn shown(body: &str) -> String {
    let mut shown = String::with_capacity(body.len());
    let mut rest = body;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((place, after)) = after.split_once("}}") else { break };
        shown.push_str(before);
        shown.push_str("#{");
        shown.push_str(place.trim());
        shown.push('}');
        rest = after;
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn places_are_written_as_this_api_writes_them() {
        assert_eq!(shown("{{app}}: {{ code }} ({{minutes}} min)"), "#{app}: #{code} (#{minutes} min)");
        assert_eq!(shown("no place {{ at all"), "no place {{ at all");
    }
}
