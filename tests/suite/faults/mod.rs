//! Servers, lines and nodes that fail in the middle of a load: what was acknowledged is counted against what is found afterwards.
//!
//! These stand on Redis and PostgreSQL whatever the rest of the run stands on, and their nodes are processes of their own.

mod answer_lost;
mod database_away;
mod ended_while_away;
mod failover;
mod flushed;
mod foreign_redis;
mod lines_killed;
mod node_killed;
mod power_lost;
mod receivers;
mod redis_killed;
mod round_trips;
mod stage;
mod two_nodes;

use std::time::Duration;

/// What a call may take while a server is away: ten times the product's own deadline, for a machine that has much else to do.
const DEADLINE: Duration = Duration::from_secs(20);

/// Shows what a test found out, for whoever runs it with `--success-output immediate`.
#[expect(clippy::print_stdout, reason = "figures that people want to see belong to no assertion")]
fn measured(figures: &str) {
    println!("{figures}");
}
