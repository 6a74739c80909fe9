//! Whom a server that runs here passes over.

use std::time::Duration;

use super::report::Report;
use crate::cli::client::{here, plain};
use crate::config::Config;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// What the line of a provider's circuit begins with, on the page of counts.
const CIRCUIT: &str = "countersign_provider_circuit{provider=\"";

/// Reads the counts of the server of this configuration. Each process has circuits of its own: where none runs here, there is nothing to tell.
pub(super) async fn check(config: &Config, report: &mut Report) {
    let url = format!("http://{}/metrics", here(config.admin.listen));
    let Ok(client) = plain(PATIENCE) else { return };
    let Ok(reply) = client.get(&url).send().await else { return };
    if let Ok(page) = reply.text().await {
        tell(&page, |provider| config.providers.contains_key(provider), report);
    }
}

/// Of those that are configured: another server may answer at that address.
fn tell(page: &str, is_configured: impl Fn(&str) -> bool, report: &mut Report) {
    let circuits = page.lines().filter_map(|line| line.strip_prefix(CIRCUIT)?.split_once("\"} "));
    let circuits: Vec<(&str, &str)> = circuits.filter(|(provider, _)| is_configured(provider)).collect();
    for (provider, state) in &circuits {
        let found = match *state {
            "0" => continue,
            "1" => "half open: one message at a time tries it",
            _ => "open: it is passed over while another provider is left",
        };
        let advice = "see its last failure: GET /admin/v1/providers, or the server's log";
        report.warn(format!("circuit of {provider}"), format!("{found} (the server that runs here)"), advice);
    }
    if !circuits.is_empty() && circuits.iter().all(|(_, state)| *state == "0") {
        report.ok("circuits", "all closed (the server that runs here)");
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Status;
    use super::*;

    #[test]
    fn circuits_that_are_not_closed_are_warnings() {
        let mut report = Report::default();
        tell(
            "# TYPE countersign_provider_circuit gauge\ncountersign_provider_circuit{provider=\"mail\"} 0\n\
             countersign_provider_circuit{provider=\"text\"} 2\ncountersign_provider_circuit_changes_total{provider=\"mail\",to=\"open\"} 4\n",
            |_| true,
            &mut report,
        );
        let told = report.to_string();
        assert_eq!(report.worst(), Status::Warn, "{told}");
        assert!(told.contains("circuit of text") && !told.contains("circuit of mail"), "{told}");
    }

    #[test]
    fn where_all_are_closed_all_is_well_and_a_page_without_any_tells_nothing() {
        let mut report = Report::default();
        tell("countersign_provider_circuit{provider=\"mail\"} 0\n", |_| true, &mut report);
        assert!(report.worst() == Status::Ok && report.to_string().contains("all closed"), "{report}");
        let mut report = Report::default();
        tell("not found", |_| true, &mut report);
        assert!(!report.to_string().contains("circuit"), "{report}");
    }

    #[test]
    fn another_servers_circuits_are_not_ours() {
        let mut report = Report::default();
        tell("countersign_provider_circuit{provider=\"theirs\"} 2\n", |provider| provider == "mail", &mut report);
        assert!(!report.to_string().contains("circuit"), "{report}");
    }
}
