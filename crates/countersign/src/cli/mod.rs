//! The command line: one file per command, one way to standard output.

mod admin_token;
mod client;
mod completions;
mod config;
mod desk;
mod doctor;
mod error;
mod healthcheck;
pub(crate) mod init;
mod key;
mod migrate;
mod openapi;
mod output;
mod provider;
mod recipient;
mod send;
mod sender;
mod serve;
mod service;
mod store;
mod template;
mod tenant;
mod verify;
mod wallet;
mod webhook;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::DataDir;
use crate::config::{ConfigError, Loaded, Source, load};

pub use error::CliError;
pub use output::{Format, Output};

/// Self-hosted one-time passwords over e-mail, SMS, WhatsApp and voice
#[derive(Debug, Parser)]
#[command(name = "countersign", version, arg_required_else_help = true, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    context: Context,
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value = "text", hide_default_value = true)]
    format: Format,
    #[command(subcommand)]
    command: Command,
}

/// Which installation a command is about.
#[derive(Debug, Clone, clap::Args)]
pub struct Context {
    /// Where keys, databases and countersign.toml are
    #[arg(long, global = true, env = "COUNTERSIGN_DATA_DIR", default_value = "./data", value_name = "DIR")]
    data_dir: PathBuf,
    /// The configuration file, in place of countersign.toml in the data directory
    #[arg(long, global = true, env = "COUNTERSIGN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server; the first start on an empty data directory sets it up
    Serve(serve::Serve),
    /// Set up a data directory: keys, databases, a tenant, a sandbox key, a commented countersign.toml
    Init(init::InitCommand),
    /// Bring the tables of a PostgreSQL to this release's form
    Migrate,
    /// Begin anew in a Redis that lost its sessions
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// Exit with 0 if the server of this configuration lives: for containers
    Healthcheck,
    /// Make, list and change tenants
    #[command(subcommand)]
    Tenant(tenant::TenantCommand),
    /// Create, list and revoke API keys, also beside a running server
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Make, list and change services: named profiles with limits and prices
    #[command(subcommand)]
    Service(service::ServiceCommand),
    /// Make, list and try out tenants' own words for messages
    #[command(subcommand)]
    Template(template::TemplateCommand),
    /// Register names and numbers that messages come from
    #[command(subcommand)]
    Sender(sender::SenderCommand),
    /// Try out a provider with a message that is marked as a test
    #[command(subcommand)]
    Provider(provider::ProviderCommand),
    /// Lift the block of a recipient that was guessed at too often
    #[command(subcommand)]
    Recipient(recipient::RecipientCommand),
    /// Name addresses that events are posted to, and see what came of it
    #[command(subcommand)]
    Webhook(webhook::WebhookCommand),
    /// Show and move tenants' money
    #[command(subcommand)]
    Wallet(wallet::WalletCommand),
    /// Make, list and revoke tokens of the admin API
    #[command(subcommand)]
    AdminToken(admin_token::AdminTokenCommand),
    /// Check everything a start depends on, and say what to do
    Doctor,
    /// Print or check the configuration
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Ask a running server to send codes
    Send(send::Send),
    /// Ask a running server whether a code is right
    Verify(verify::Verify),
    /// Print the OpenAPI document of the API, or of the admin API
    Openapi(openapi::OpenApi),
    /// Print a completion script for a shell
    Completions(completions::Completions),
}

impl Context {
    /// The folder that holds the installation.
    fn data_dir(&self) -> DataDir {
        DataDir::new(self.data_dir.clone())
    }

    /// The configuration of the installation.
    fn load(&self) -> Result<Loaded, ConfigError> {
        // A variable that is no text sets nothing of ours.
        let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let environment = std::env::vars_os().filter_map(text).collect();
        load(&Source { file: self.config.clone(), data_dir: self.data_dir.clone(), environment })
    }
}

impl Cli {
    /// Does what was asked for.
    pub fn run(self) -> Result<ExitCode, CliError> {
        let Self { context, format, command } = self;
        let output = Output::new(format);
        match command {
            Command::Serve(serve) => serve.run(&context, output),
            Command::Init(init) => block_on(init.run(&context, output)),
            Command::Migrate => block_on(migrate::run(&context, output)),
            Command::Store(store) => block_on(store.run(&context, output)),
            Command::Healthcheck => block_on(healthcheck::run(&context)),
            Command::Tenant(tenant) => block_on(tenant.run(&context, output)),
            Command::Key(key) => block_on(key.run(&context, output)),
            Command::Service(service) => block_on(service.run(&context, output)),
            Command::Template(template) => block_on(template.run(&context, output)),
            Command::Sender(sender) => block_on(sender.run(&context, output)),
            Command::Provider(provider) => block_on(provider.run(&context, output)),
            Command::Recipient(recipient) => block_on(recipient.run(&context, output)),
            Command::Webhook(webhook) => block_on(webhook.run(&context, output)),
            Command::Wallet(wallet) => block_on(wallet.run(&context, output)),
            Command::AdminToken(token) => block_on(token.run(&context, output)),
            Command::Doctor => block_on(doctor::run(&context, output)),
            Command::Config(config) => config.run(&context, output),
            Command::Send(send) => block_on(send.run(&context, output)),
            Command::Verify(verify) => block_on(verify.run(&context, output)),
            Command::Openapi(openapi) => openapi.run(output),
            Command::Completions(completions) => completions.run(output),
        }
    }
}

/// Runs a command that waits for files or the network on this thread.
fn block_on(command: impl Future<Output = Result<ExitCode, CliError>>) -> Result<ExitCode, CliError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}
