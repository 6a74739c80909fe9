//! `countersign healthcheck`: whether the server of this configuration lives, told by the exit code.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use super::{CliError, Context};

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks `/healthz` of the operators' listener, which a node of every role has.
pub(super) async fn run(context: &Context) -> Result<ExitCode, CliError> {
    let listen = context.load()?.config.admin.listen;
    let ip = match listen.ip() {
        IpAddr::V4(all) if all.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(all) if all.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        one => one,
    };
    let url = format!("http://{}/healthz", SocketAddr::new(ip, listen.port()));
    let client = super::client::plain(PATIENCE)?;
    match client.get(&url).send().await {
        Ok(reply) if reply.status().is_success() => Ok(ExitCode::SUCCESS),
        Ok(reply) => Err(CliError::Usage(format!("{url} answered {}", reply.status()))),
        Err(_) => Err(CliError::Usage(format!("{url} does not answer"))),
    }
}
