//! The configuration, and whom it names.

use std::sync::Arc;
use std::time::Duration;

use countersign_channels::{CircuitState, Observer, Router, Routes};
use countersign_model::{Channel, Mode, OsRng, ProviderName, Service, SystemClock};

use super::report::Report;
use crate::cli::Context;
use crate::config::{Config, ConfigError};

/// OWASP ASVS 5.0, 6.5.5: the longest life of an out-of-band code.
const ASVS_LIFE: Duration = Duration::from_secs(600);

pub(super) async fn check(context: &Context, report: &mut Report) {
    let loaded = match context.load() {
        Ok(loaded) => loaded,
        Err(error) => return refused(&error, report),
    };
    let file =
        loaded.file.as_ref().map_or_else(|| "no file: defaults and environment".to_owned(), |file| file.display().to_string());
    match loaded.config.routes(&(Arc::new(SystemClock) as _), &(Arc::new(OsRng) as _)) {
        Ok(ways_out) => {
            report.ok("configuration", file);
            check_providers(ways_out, report).await;
            super::circuits::check(&loaded.config, report).await;
        }
        Err(error) => refused(&error, report),
    }
    check_address(&loaded.config, report);
    check_lives(&loaded.config, report);
}

fn refused(error: &ConfigError, report: &mut Report) {
    match error {
        ConfigError::Invalid(problems) => {
            for problem in problems {
                report.fail("configuration", &problem.key, &problem.what);
            }
        }
        ConfigError::Unreadable { .. } | ConfigError::Syntax { .. } => {
            report.fail("configuration", error.to_string(), "mend the file, or name another with --config");
        }
    }
}

/// Reaches every provider without sending anything, and tells which channels have a way out.
async fn check_providers(ways_out: Routes, report: &mut Report) {
    let router = Router::new(ways_out, Arc::new(Nobody));
    for (name, reached) in router.check().await {
        match reached {
            Ok(()) => report.ok(format!("provider {name}"), "reached"),
            Err(error) => {
                let told = error.to_string();
                let (found, advice) = told.split_once(": ").unwrap_or((&told, "see the provider's own log"));
                report.fail(format!("provider {name}"), found, advice);
            }
        }
    }
    let open: Vec<&str> =
        Channel::ALL.into_iter().filter(|channel| router.has_route(Mode::Live, *channel)).map(Channel::as_str).collect();
    if open.is_empty() {
        report.warn(
            "channels",
            "no channel has a provider",
            "live sends will fail; configure [providers.*] and [channels.*] (sandbox works)",
        );
    } else {
        report.ok("channels", open.join(", "));
    }
}

fn check_address(config: &Config, report: &mut Report) {
    match &config.public_url {
        Some(url) if url.starts_with("https://") => report.ok("public_url", url),
        Some(url) => report.warn("public_url", url, "callers should reach this installation over https only"),
        None => report.warn(
            "public_url",
            "not set",
            "set the https address under which callers reach this installation: it is the issuer of proofs",
        ),
    }
    if !config.admin.listen.ip().is_loopback() {
        report.warn(
            "admin.listen",
            config.admin.listen.to_string(),
            "keep callers away from it: a firewall, or a loopback address",
        );
    }
}

/// Services whose codes live longer than the standard allows are noted, not refused.
fn check_lives(config: &Config, report: &mut Report) {
    let settings = config.settings(config.public_url());
    let name = |service: &Service| service.id.map_or_else(|| "session".to_owned(), |id| format!("service {id}"));
    for service in std::iter::once(&settings.default_service).chain(&settings.services) {
        if service.life.is_some_and(|life| life > ASVS_LIFE) {
            report.warn(
                name(service),
                "codes live longer than 10 minutes",
                "OWASP ASVS 6.5.5 allows at most 10: lower life_minutes",
            );
        } else if service.max_life > ASVS_LIFE {
            report.note(
                name(service),
                "calls may ask for codes that live longer than 10 minutes",
                "lower max_life_minutes to hold OWASP ASVS 6.5.5",
            );
        }
    }
}

/// Counts nothing.
struct Nobody;

impl Observer for Nobody {
    fn tried(&self, _provider: &ProviderName, _channel: Channel, _outcome: &'static str, _elapsed: Duration) {}

    fn in_flight(&self, _provider: &ProviderName, _change: i64) {}

    fn circuit(&self, _provider: &ProviderName, _state: CircuitState) {}
}
