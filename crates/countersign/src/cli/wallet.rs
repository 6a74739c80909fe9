//! `countersign wallet`: tenants' money.

use std::process::ExitCode;

use clap::ValueEnum;
use countersign_core::manage::{BalanceView, LineFilter, LineView, MoneyView, Order};
use countersign_model::Money;
use serde_json::json;

use super::desk::{OfTenant, Shown, operate};
use super::{CliError, Context, Output};

/// `countersign wallet <command>`
#[derive(Debug, clap::Subcommand)]
pub(super) enum WalletCommand {
    /// Pay an amount in
    TopUp(Wish),
    /// Show the balance, and what the ledger comes to
    Show(OfTenant),
    /// List the ledger, the newest line first
    Lines(Lines),
    /// Put a balance right by an amount, either way; needs a note
    Adjust(Adjust),
    /// Set a balance to what the ledger says: for when the session store lost it
    Rebuild(OfTenant),
}

/// How much.
#[derive(Debug, clap::Args)]
pub(super) struct Wish {
    #[command(flatten)]
    of: OfTenant,
    /// A decimal with at most six decimals, such as 100.00
    #[arg(allow_hyphen_values = true)]
    amount: Money,
    /// Why, for people
    #[arg(long, default_value = "")]
    note: String,
}

/// `countersign wallet adjust`
#[derive(Debug, clap::Args)]
pub(super) struct Adjust {
    #[command(flatten)]
    wish: Wish,
    /// both: the ledger and the balance that admits sends. ledger: the ledger alone, to close a difference where the balance is what should be
    #[arg(long, value_enum, default_value = "both")]
    side: Side,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Side {
    Both,
    Ledger,
}

/// `countersign wallet lines`
#[derive(Debug, clap::Args)]
pub(super) struct Lines {
    #[command(flatten)]
    of: OfTenant,
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

impl WalletCommand {
    /// Runs it.
    pub(super) async fn run(&self, context: &Context, output: Output) -> Result<ExitCode, CliError> {
        let order = Order::from_terminal();
        operate(context, output, async |platform| match self {
            Self::TopUp(wish) => {
                let tenant = wish.of.find(platform).await?.id;
                Shown::one(&LineView::of(&platform.top_up(&order, tenant, wish.amount, &wish.note).await?.line))
            }
            Self::Adjust(Adjust { wish, side }) => {
                let tenant = wish.of.find(platform).await?.id;
                Shown::one(&match side {
                    Side::Both => LineView::of(&platform.adjust(&order, tenant, wish.amount, &wish.note).await?.line),
                    Side::Ledger => platform.correct_ledger(&order, tenant, wish.amount, &wish.note).await?.record,
                })
            }
            Self::Show(of) => {
                let wallet = platform.show_wallet(of.find(platform).await?.id).await?;
                Shown::one(&MoneyView::of(&wallet, platform.currency()))
            }
            Self::Lines(lines) => {
                let tenant = lines.of.find(platform).await?.id;
                let listed = platform.list_ledger(tenant, LineFilter::default(), lines.limit).await?;
                let listed: Vec<_> = listed.iter().map(LineView::of).collect();
                Shown::list("lines", &listed, &["id", "at", "kind", "amount", "state", "note"])
            }
            Self::Rebuild(of) => {
                let rebuilt = platform.rebuild_wallet(&order, of.find(platform).await?.id).await?;
                let (before, after) = (BalanceView::of(&rebuilt.before), BalanceView::of(&rebuilt.after));
                Shown::one(&json!({"before": before, "after": after}))
            }
        })
        .await
    }
}
