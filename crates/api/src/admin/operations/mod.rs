//! The operations: parse, one verb, print.

pub(crate) mod deliveries;
pub(crate) mod installation;
pub(crate) mod keys;
pub(crate) mod log;
pub(crate) mod provider_tests;
pub(crate) mod recipients;
pub(crate) mod senders;
pub(crate) mod services;
pub(crate) mod templates;
pub(crate) mod tenants;
pub(crate) mod tokens;
pub(crate) mod wallet;
pub(crate) mod webhooks;

use countersign_core::manage::Secretive;
use serde::Serialize;

use super::ask::Ask;
use super::problem::Problem;
use super::reply::Reply;
use super::routes::Operation;

/// A record just made, with the secret that is shown this once.
#[derive(Serialize)]
struct Made<'a, T> {
    #[serde(flatten)]
    record: T,
    secret: Option<&'a str>,
}

/// The reply to a call that made `made`.
fn made<T, V: Serialize>(made: &Secretive<T>, show: impl FnOnce(&T) -> V) -> Result<Reply, Problem> {
    let secret = made.secret.as_deref().map(String::as_str);
    Reply::created(&Made { record: show(&made.record), secret }, secret.is_none())
}

/// Does what is asked for.
pub(super) async fn run(operation: Operation, ask: &Ask<'_>) -> Result<Reply, Problem> {
    match operation {
        // Answered before anybody is let in.
        Operation::OpenApi | Operation::Docs => Err(Problem::no_such_path()),
        Operation::Info => installation::info(ask),
        Operation::Readiness => installation::readiness(ask).await,
        Operation::Providers => installation::providers(ask),
        Operation::TestProvider => provider_tests::test_provider(ask).await,
        Operation::ListAudit => log::list_audit(ask).await,
        Operation::ListTokens => tokens::list_tokens(ask).await,
        Operation::CreateToken => tokens::create_token(ask).await,
        Operation::RevokeToken => tokens::revoke_token(ask).await,
        Operation::ListTenants => tenants::list_tenants(ask).await,
        Operation::CreateTenant => tenants::create_tenant(ask).await,
        Operation::ShowTenant => tenants::show_tenant(ask).await,
        Operation::UpdateTenant => tenants::update_tenant(ask).await,
        Operation::ShowSession => tenants::show_session(ask).await,
        Operation::UnblockRecipient => recipients::unblock_recipient(ask).await,
        Operation::ListKeys => keys::list_keys(ask).await,
        Operation::CreateKey => keys::create_key(ask).await,
        Operation::RevokeKey => keys::revoke_key(ask).await,
        Operation::ListServices => services::list_services(ask).await,
        Operation::CreateService => services::create_service(ask).await,
        Operation::ShowService => services::show_service(ask).await,
        Operation::UpdateService => services::update_service(ask).await,
        Operation::DeleteService => services::delete_service(ask).await,
        Operation::ListTemplates => templates::list_templates(ask).await,
        Operation::CreateTemplate => templates::create_template(ask).await,
        Operation::PreviewTemplate => templates::preview_template(ask).await,
        Operation::ShowTemplate => templates::show_template(ask).await,
        Operation::UpdateTemplate => templates::update_template(ask).await,
        Operation::DeleteTemplate => templates::delete_template(ask).await,
        Operation::ListVersions => templates::list_versions(ask).await,
        Operation::ListSenders => senders::list_senders(ask).await,
        Operation::CreateSender => senders::create_sender(ask).await,
        Operation::UpdateSender => senders::update_sender(ask).await,
        Operation::DeleteSender => senders::delete_sender(ask).await,
        Operation::ListEndpoints => webhooks::list_endpoints(ask).await,
        Operation::CreateEndpoint => webhooks::create_endpoint(ask).await,
        Operation::ShowEndpoint => webhooks::show_endpoint(ask).await,
        Operation::UpdateEndpoint => webhooks::update_endpoint(ask).await,
        Operation::DeleteEndpoint => webhooks::delete_endpoint(ask).await,
        Operation::RotateEndpoint => webhooks::rotate_endpoint(ask).await,
        Operation::TestEndpoint => webhooks::test_endpoint(ask).await,
        Operation::ListDeliveries => deliveries::list_deliveries(ask).await,
        Operation::ShowDelivery => deliveries::show_delivery(ask).await,
        Operation::ReplayDelivery => deliveries::replay_delivery(ask).await,
        Operation::ShowWallet => wallet::show_wallet(ask).await,
        Operation::ListLedger => wallet::list_ledger(ask).await,
        Operation::TopUp => wallet::top_up(ask).await,
        Operation::Adjust => wallet::adjust(ask).await,
        Operation::Rebuild => wallet::rebuild(ask).await,
        Operation::ListDifferences => wallet::list_differences(ask).await,
        Operation::AcknowledgeDifference => wallet::acknowledge_difference(ask).await,
        Operation::ListPoison => log::list_poison(ask).await,
        Operation::RetryPoison => log::retry_poison(ask).await,
        Operation::DeletePoison => log::delete_poison(ask).await,
    }
}
