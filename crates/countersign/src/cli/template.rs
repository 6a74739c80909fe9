//! `countersign template`: tenants' own words for messages.

use std::process::ExitCode;

use countersign_api::drafts::{patch_template, read_template};
use countersign_core::manage::{ManageError, Order, PreviewDraft, TemplateView};
use countersign_model::{Channel, Country, ServiceId, Uuid, Wording};
use serde_json::Value;

use super::desk::{FieldArgs, OfTenant, Shown, operate};
use super::{CliError, Context, Output};

/// `countersign template <command>`
#[derive(Debug, clap::Subcommand)]
pub(super) enum TemplateCommand {
    /// Make a template; the next send in its language uses it
    Create(Create),
    /// List templates, the newest version of each
    List(OfTenant),
    /// List a template's versions, the newest first
    Versions(Named),
    /// Make a template's next version
    Update(Update),
    /// Delete a template with all its versions
    Delete(Named),
    /// Show what a person would get; nothing is kept or sent
    Preview(Preview),
}

/// The words.
#[derive(Debug, clap::Args)]
struct Words {
    /// email, sms, whatsapp or voice
    #[arg(long)]
    channel: Channel,
    /// The subject line; e-mail only
    #[arg(long)]
    subject: Option<String>,
    /// The text, with {{code}}; also {{app}} and {{minutes}}
    #[arg(long)]
    body: String,
    /// The language, a BCP 47 tag
    #[arg(long, default_value = "en")]
    locale: String,
}

/// `countersign template create`
#[derive(Debug, clap::Args)]
pub(super) struct Create {
    #[command(flatten)]
    of: OfTenant,
    #[command(flatten)]
    words: Words,
    /// What people call it
    #[arg(long)]
    name: String,
    /// The UUID that you had elsewhere; without it a new one
    #[arg(long)]
    id: Option<String>,
    /// The service whose messages it words; without it all of the tenant's
    #[arg(long)]
    service: Option<String>,
    /// It words only the sends that choose it
    #[arg(long)]
    by_choice: bool,
}

/// Which template.
#[derive(Debug, clap::Args)]
pub(super) struct Named {
    #[command(flatten)]
    of: OfTenant,
    /// Its UUID
    template: Uuid,
}

/// `countersign template update`
#[derive(Debug, clap::Args)]
pub(super) struct Update {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    fields: FieldArgs,
}

/// `countersign template preview`
#[derive(Debug, clap::Args)]
pub(super) struct Preview {
    #[command(flatten)]
    of: OfTenant,
    /// email, sms, whatsapp or voice
    #[arg(long)]
    channel: Channel,
    /// The subject line of the words to try out; e-mail only
    #[arg(long, requires = "body")]
    subject: Option<String>,
    /// Words to try out; without them, what a message says now: the tenant's own words or the built-in ones
    #[arg(long)]
    body: Option<String>,
    /// The language asked for, a BCP 47 tag; without it the country decides, then the service
    #[arg(long)]
    locale: Option<String>,
    /// Where the number would be, such as DE: decides the price too
    #[arg(long)]
    country: Option<Country>,
    /// The service under which it would be sent
    #[arg(long, value_name = "UUID")]
    service: Option<ServiceId>,
    /// The name that the message shows; without it the service's
    #[arg(long)]
    app_name: Option<String>,
}

impl TemplateCommand {
    /// Runs it.
    pub(super) async fn run(&self, context: &Context, output: Output) -> Result<ExitCode, CliError> {
        let order = Order::from_terminal();
        operate(context, output, async |platform| match self {
            Self::Create(create) => {
                let tenant = create.of.find(platform).await?.id;
                let (id, draft) = read_template(&create.object()).map_err(ManageError::Invalid)?;
                Shown::one(&TemplateView::of(&platform.create_template(&order, tenant, id, draft).await?.record))
            }
            Self::List(of) => {
                let templates = platform.list_templates(of.find(platform).await?.id).await?;
                let templates: Vec<_> = templates.iter().map(TemplateView::of).collect();
                Shown::list("templates", &templates, &["id", "version", "channel", "locale", "service", "name"])
            }
            Self::Versions(named) => {
                let versions = platform.template_versions(named.of.find(platform).await?.id, named.template).await?;
                let versions: Vec<_> = versions.iter().map(TemplateView::of).collect();
                Shown::list("versions", &versions, &["version", "created_at", "name", "body"])
            }
            Self::Update(update) => {
                let (tenant, patch) = (update.named.of.find(platform).await?.id, update.fields.object(&[])?);
                let change = |draft| patch_template(&draft, &patch);
                Shown::one(&TemplateView::of(
                    &platform.update_template(&order, tenant, update.named.template, change).await?.record,
                ))
            }
            Self::Delete(named) => {
                let tenant = named.of.find(platform).await?.id;
                Ok(Shown::deleted(platform.delete_template(&order, tenant, named.template).await?.record.id))
            }
            Self::Preview(preview) => {
                let tenant = preview.of.find(platform).await?.id;
                Shown::one(&platform.preview(tenant, &preview.draft())?)
            }
        })
        .await
    }
}

impl Preview {
    fn draft(&self) -> PreviewDraft {
        let Self { channel, subject, body, locale, country, service, app_name, .. } = self;
        PreviewDraft {
            channel: *channel,
            wording: body.as_ref().map(|body| Wording { subject: subject.clone(), body: body.clone() }),
            locale: locale.clone(),
            country: *country,
            service: *service,
            app: app_name.clone(),
        }
    }
}

impl Create {
    fn object(&self) -> serde_json::Map<String, Value> {
        let text = |text: &str| Some(Value::from(text));
        let fields = [
            ("id", self.id.as_deref().and_then(text)),
            ("service", self.service.as_deref().and_then(text)),
            ("channel", text(self.words.channel.as_str())),
            ("locale", text(&self.words.locale)),
            ("name", text(&self.name)),
            ("subject", self.words.subject.as_deref().and_then(text)),
            ("body", text(&self.words.body)),
            ("by_choice", self.by_choice.then(|| Value::from(true))),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}
