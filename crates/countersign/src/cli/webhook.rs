//! `countersign webhook`: where events are posted to, and what came of it.

use std::process::ExitCode;

use countersign_api::drafts::patch_endpoint;
use countersign_core::manage::{AttemptView, DeliveryFilter, DeliveryState, DeliveryView, EndpointDraft, EndpointView, Order};
use countersign_model::{DeliveryId, EndpointId, WebhookEvent, WebhookFormat};
use serde_json::json;

use super::desk::{FieldArgs, OfTenant, Shown, operate};
use super::{CliError, Context, Output};

/// `countersign webhook <command>`
#[derive(Debug, clap::Subcommand)]
pub(super) enum WebhookCommand {
    /// Make an endpoint and print its secret, once
    Create(Create),
    /// List endpoints, disabled ones too
    List(OfTenant),
    /// Change an endpoint: --set enabled=false switches it off, --set enabled=true brings it back
    Update(Update),
    /// Give an endpoint a new secret, printed once; in the native format the old one signs beside it for 24 hours
    Rotate(Named),
    /// Delete an endpoint; what waits for it is discarded
    Delete(Named),
    /// List deliveries, the newest first; or show one with its tries
    Deliveries(Deliveries),
    /// Post a delivery that has ended once more
    Replay(Replay),
    /// Post a test event
    Test(Named),
}

/// `countersign webhook create`
#[derive(Debug, clap::Args)]
pub(super) struct Create {
    #[command(flatten)]
    of: OfTenant,
    /// Where to: an https address
    #[arg(long)]
    url: String,
    /// How what is posted is spelt and signed: native, kotp or getotp
    #[arg(long, default_value = "native")]
    wire: WebhookFormat,
    /// What it hears of, such as session.verified; everything that its format has a word for when not given
    #[arg(long, value_name = "EVENT", value_delimiter = ',', num_args = 1..)]
    events: Vec<WebhookEvent>,
    /// For people
    #[arg(long, default_value = "")]
    description: String,
}

/// Which endpoint.
#[derive(Debug, clap::Args)]
pub(super) struct Named {
    #[command(flatten)]
    of: OfTenant,
    /// Its id, whe_…
    endpoint: EndpointId,
}

/// `countersign webhook update`
#[derive(Debug, clap::Args)]
pub(super) struct Update {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    fields: FieldArgs,
}

/// `countersign webhook deliveries`
#[derive(Debug, clap::Args)]
pub(super) struct Deliveries {
    #[command(flatten)]
    of: OfTenant,
    /// One delivery, whd_…, with its tries
    delivery: Option<DeliveryId>,
    /// Only those to this endpoint, whe_…
    #[arg(long)]
    endpoint: Option<EndpointId>,
    /// Only those that are so far: pending, delivered, failed or discarded
    #[arg(long)]
    state: Option<DeliveryState>,
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

/// `countersign webhook replay`
#[derive(Debug, clap::Args)]
pub(super) struct Replay {
    #[command(flatten)]
    of: OfTenant,
    /// Its id, whd_…
    delivery: DeliveryId,
}

impl WebhookCommand {
    /// Runs it.
    pub(super) async fn run(&self, context: &Context, output: Output) -> Result<ExitCode, CliError> {
        let order = Order::from_terminal();
        operate(context, output, async |platform| match self {
            Self::Create(create) => {
                let tenant = create.of.find(platform).await?.id;
                let (url, description, events) = (create.url.clone(), create.description.clone(), create.events.clone());
                let draft = EndpointDraft { url, format: create.wire, description, events, enabled: true };
                let made = platform.create_endpoint(&order, tenant, draft).await?;
                Shown::made(&EndpointView::of(&made.record), made.secret.as_deref().map(String::as_str))
            }
            Self::List(of) => {
                let endpoints = platform.list_endpoints(of.find(platform).await?.id).await?;
                let endpoints: Vec<_> = endpoints.iter().map(EndpointView::of).collect();
                Shown::list("webhooks", &endpoints, &["id", "enabled", "disabled", "format", "url", "events"])
            }
            Self::Update(update) => {
                let (tenant, patch) = (update.named.of.find(platform).await?.id, update.fields.object(&[])?);
                let change = |draft| patch_endpoint(&draft, &patch);
                Shown::one(&EndpointView::of(
                    &platform.update_endpoint(&order, tenant, update.named.endpoint, change).await?.record,
                ))
            }
            Self::Rotate(named) => {
                let tenant = named.of.find(platform).await?.id;
                let made = platform.rotate_endpoint(&order, tenant, named.endpoint).await?;
                Shown::made(&EndpointView::of(&made.record), made.secret.as_deref().map(String::as_str))
            }
            Self::Delete(named) => {
                let tenant = named.of.find(platform).await?.id;
                Ok(Shown::deleted(platform.delete_endpoint(&order, tenant, named.endpoint).await?.record.id))
            }
            Self::Deliveries(wanted) => wanted.run(platform).await,
            Self::Replay(replay) => {
                let tenant = replay.of.find(platform).await?.id;
                let again = platform.replay_delivery(&order, tenant, replay.delivery).await?;
                Shown::one(&json!({"delivery": again.record.to_string()}))
            }
            Self::Test(named) => {
                let tenant = named.of.find(platform).await?.id;
                let delivery = platform.test_endpoint(&order, tenant, named.endpoint).await?;
                Shown::one(&json!({"delivery": delivery.record.to_string()}))
            }
        })
        .await
    }
}

impl Deliveries {
    async fn run(&self, platform: &countersign_core::Platform) -> Result<Shown, CliError> {
        let tenant = self.of.find(platform).await?.id;
        if let Some(delivery) = self.delivery {
            let (delivery, attempts) = platform.show_delivery(tenant, delivery).await?;
            let tries: Vec<_> = attempts.iter().map(AttemptView::of).collect();
            return Shown::one(&json!({"delivery": DeliveryView::of(&delivery), "tries": tries, "body": delivery.body}));
        }
        let filter = DeliveryFilter { endpoint: self.endpoint, state: self.state, before: None };
        let deliveries = platform.list_deliveries(tenant, filter, self.limit).await?;
        let deliveries: Vec<_> = deliveries.iter().map(DeliveryView::of).collect();
        Shown::list("deliveries", &deliveries, &["id", "state", "attempts", "event", "event_id", "endpoint", "created_at"])
    }
}
