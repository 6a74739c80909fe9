//! The tenants' own words.

use countersign_core::manage::{PreviewDraft, TemplateView};
use countersign_model::{Template, Uuid};

use crate::admin::ask::Ask;
use crate::admin::drafts::{patch_template, read_template};
use crate::admin::problem::Problem;
use crate::admin::reply::{Page, Reply};
use crate::admin::request::{TEXT, UUID, channel, parsed, read, whole, wording};
use crate::admin::schema;

pub(crate) const PREVIEW_FIELDS: [&str; 7] = ["channel", "subject", "body", "locale", "country", "service", "app_name"];

/// List templates
///
/// The newest version of each.
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/templates", tag = "templates", operation_id = "listTemplates",
    security(("admin_token" = [])),
    params(("tenant" = String, Path), ("limit" = Option<u32>, Query, description = "1 to 100; 50."), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page.", body = Page<schema::Template>), (status = 404, description = "No such tenant.")))]
pub(crate) async fn list_templates(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let templates = ask.platform().list_templates(ask.tenant().await?.id).await?;
    Reply::ok(&Page::within(templates, ask.page()?, |template: &Template| template.id.to_string(), TemplateView::of)?)
}

/// Make a template
///
/// The next send in its language uses it.
#[utoipa::path(post, path = "/admin/v1/tenants/{tenant}/templates", tag = "templates", operation_id = "createTemplate",
    security(("admin_token" = [])),
    params(("tenant" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe for 24 hours.")),
    request_body = schema::CreateTemplateRequest,
    responses((status = 201, description = "Its first version.", body = schema::Template), (status = 404, description = "No such tenant."),
              (status = 409, description = "The tenant has one of this id.")))]
pub(crate) async fn create_template(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let tenant = ask.tenant().await?.id;
    let (id, draft) = read_template(&ask.body.object)?;
    let done = ask.platform().create_template(&ask.order()?, tenant, id, draft).await?;
    Reply::created(&TemplateView::of(&done.record), done.replayed)
}

/// Try words out
///
/// Keeps nothing and sends nothing. Without a `body` it shows what a message says now: the tenant's own words, or the built-in ones.
#[utoipa::path(post, path = "/admin/v1/tenants/{tenant}/templates/preview", tag = "templates", operation_id = "previewTemplate",
    security(("admin_token" = [])), params(("tenant" = String, Path)), request_body = schema::PreviewRequest,
    responses((status = 200, description = "What a person would get.", body = schema::Preview), (status = 404, description = "No such tenant.")))]
pub(crate) async fn preview_template(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let tenant = ask.tenant().await?.id;
    let draft = whole(&ask.body.object, &PREVIEW_FIELDS, |fields, faults| {
        let channel = channel(fields, faults);
        // A subject stands above words, not alone.
        let is_own = fields.get("body").is_some() || fields.get("subject").is_some();
        let words = is_own.then(|| wording(fields, faults));
        let locale = read(fields, "locale", TEXT, faults);
        let country = parsed(fields, "country", "two letters of ISO 3166-1", faults);
        let service = parsed(fields, "service", UUID, faults);
        let app = fields.string("app_name", 1..=64, faults).map(str::to_owned);
        let wording = words.map_or(Some(None), |words| words.map(Some))?;
        Some(PreviewDraft { channel: channel?, wording, locale, country, service, app })
    })?;
    Reply::ok(&ask.platform().preview(tenant, &draft)?)
}

/// Show a template
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/templates/{template}", tag = "templates", operation_id = "showTemplate",
    security(("admin_token" = [])), params(("tenant" = String, Path), ("template" = String, Path)),
    responses((status = 200, description = "Its newest version.", body = schema::Template), (status = 404, description = "No such template.")))]
pub(crate) async fn show_template(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let (tenant, id) = (ask.tenant().await?.id, ask.named::<Uuid>(1, "template")?);
    let versions = ask.platform().template_versions(tenant, id).await?;
    let newest = versions.first().ok_or_else(|| Problem::missing("template"))?;
    Reply::ok(&TemplateView::of(newest))
}

/// Change a template
///
/// A merge patch (RFC 7396) on the newest version makes the next one. The next send uses it.
#[utoipa::path(patch, path = "/admin/v1/tenants/{tenant}/templates/{template}", tag = "templates", operation_id = "updateTemplate",
    security(("admin_token" = [])), params(("tenant" = String, Path), ("template" = String, Path)),
    request_body = schema::TemplateRequest,
    responses((status = 200, description = "Its new version.", body = schema::Template), (status = 404, description = "No such template.")))]
pub(crate) async fn update_template(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let (tenant, id) = (ask.tenant().await?.id, ask.named(1, "template")?);
    let change = |draft| patch_template(&draft, &ask.body.object);
    Reply::ok(&TemplateView::of(&ask.platform().update_template(&ask.order()?, tenant, id, change).await?.record))
}

/// Delete a template
///
/// With all its versions.
#[utoipa::path(delete, path = "/admin/v1/tenants/{tenant}/templates/{template}", tag = "templates", operation_id = "deleteTemplate",
    security(("admin_token" = [])), params(("tenant" = String, Path), ("template" = String, Path)),
    responses((status = 200, description = "It is gone.", body = schema::Deleted), (status = 404, description = "No such template.")))]
pub(crate) async fn delete_template(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let (tenant, id) = (ask.tenant().await?.id, ask.named(1, "template")?);
    let done = ask.platform().delete_template(&ask.order()?, tenant, id).await?;
    Reply::deleted(&done.record.id.to_string())
}

/// List a template's versions
///
/// Newest first; the newest is in use.
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/templates/{template}/versions", tag = "templates", operation_id = "listVersions",
    security(("admin_token" = [])),
    params(("tenant" = String, Path), ("template" = String, Path), ("limit" = Option<u32>, Query, description = "1 to 100; 50."),
           ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page.", body = Page<schema::Template>), (status = 404, description = "No such template.")))]
pub(crate) async fn list_versions(ask: &Ask<'_>) -> Result<Reply, Problem> {
    let (tenant, id) = (ask.tenant().await?.id, ask.named(1, "template")?);
    let versions = ask.platform().template_versions(tenant, id).await?;
    Reply::ok(&Page::within(versions, ask.page()?, |version: &Template| version.version.to_string(), TemplateView::of)?)
}
