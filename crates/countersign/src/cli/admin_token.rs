//! `countersign admin-token`: what lets operators into the admin API.

use std::process::ExitCode;

use countersign_core::manage::{AdminScope, Order, TokenDraft, TokenView};
use countersign_model::Timestamp;

use super::desk::{Shown, operate};
use super::key::parse_life;
use super::{CliError, Context, Output};

/// `countersign admin-token <command>`
#[derive(Debug, clap::Subcommand)]
pub(super) enum AdminTokenCommand {
    /// Make a token and print it, once
    Create(Create),
    /// List tokens; the tokens themselves are nowhere
    List,
    /// End a token for good
    Revoke(Revoke),
}

/// `countersign admin-token create`
#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// Letters, digits and ._@-; unique for ever. Stands in the audit log
    #[arg(long)]
    name: String,
    /// What it may do: read, write, wallet, keys
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',', num_args = 1.., required = true)]
    scopes: Vec<AdminScope>,
    /// When it dies by itself: a span such as 90d, or a moment such as 2027-01-01T00:00:00Z; never when not given
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
}

/// `countersign admin-token revoke`
#[derive(Debug, clap::Args)]
pub(super) struct Revoke {
    /// Its name
    name: String,
}

impl AdminTokenCommand {
    /// Runs it.
    pub(super) async fn run(&self, context: &Context, output: Output) -> Result<ExitCode, CliError> {
        let order = Order::from_terminal();
        operate(context, output, async |platform| {
            let now = platform.now();
            match self {
                Self::Create(create) => {
                    let expires_at = create.expires.as_deref().map(|text| expiry(text, now)).transpose()?;
                    let scopes = create.scopes.iter().copied().collect();
                    let draft = TokenDraft { name: create.name.clone(), scopes, expires_at };
                    let made = platform.create_admin_token(&order, None, draft).await?;
                    Shown::made(&TokenView::of(&made.record, now), made.secret.as_deref().map(String::as_str))
                }
                Self::List => {
                    let tokens = platform.list_admin_tokens().await?;
                    let tokens: Vec<_> = tokens.iter().map(|token| TokenView::of(token, now)).collect();
                    Shown::list("tokens", &tokens, &["name", "state", "scopes", "created_at", "expires_at"])
                }
                Self::Revoke(revoke) => {
                    Shown::one(&TokenView::of(&platform.revoke_admin_token(&order, &revoke.name).await?, now))
                }
            }
        })
        .await
    }
}

fn expiry(text: &str, now: Timestamp) -> Result<Timestamp, CliError> {
    let moment = text.parse().ok().or_else(|| Some(now.plus(parse_life(text).ok()?)));
    moment.ok_or_else(|| {
        CliError::Usage("--expires: write a span such as 90d, or a moment such as 2027-01-01T00:00:00Z".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_span_or_a_moment() {
        let now = Timestamp::from_millis(1_768_473_900_000);
        assert_eq!(expiry("1h", now).unwrap(), now.plus(std::time::Duration::from_secs(3_600)));
        assert_eq!(expiry("2026-01-15T10:45:00Z", now).unwrap(), now);
        assert!(expiry("soon", now).is_err());
    }
}
