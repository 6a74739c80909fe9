//! From the sections of the configuration to lists of providers; a mistake is told by its key.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use countersign_model::{Channel, ProviderName};

use crate::config::{
    ChannelsConfig, ConfigError, ConfigProblem, DeliveryConfig, ProviderRef, ProvidersConfig, RouteConfig, Section,
};
use crate::lists::{Lane, List, Narrowed};
use crate::outlet::Outlet;
use crate::providers::sandbox::Sandbox;

/// Heaviest weight.
const HEAVIEST: u32 = 1_000;

/// Time within a try for all that comes before a message begins to leave.
pub(super) fn patience(try_timeout: Duration) -> Duration {
    try_timeout * 3 / 4
}

/// The lists of a channel.
pub(super) fn lane(built: &BTreeMap<&str, Arc<Outlet>>, channel: Channel, section: Section<'_>) -> Result<Lane, ConfigError> {
    let key = format!("channels.{channel}");
    let own = list(built, channel, &format!("{key}.providers"), section.providers)?;
    let mut routes = Vec::with_capacity(section.routes.len());
    for (position, config) in section.routes.iter().enumerate() {
        routes.push(route(built, channel, &format!("{key}.routes[{position}]"), config)?);
    }
    Ok(Lane { routes, own, on_unclear: section.on_unclear })
}

fn route(
    built: &BTreeMap<&str, Arc<Outlet>>,
    channel: Channel,
    key: &str,
    config: &RouteConfig,
) -> Result<Narrowed, ConfigError> {
    let RouteConfig { countries, tenants, services, providers } = config;
    let countries_key = format!("{key}.countries");
    if channel == Channel::Email && !countries.is_empty() {
        return Err(ConfigError::new(countries_key, ConfigProblem::Form("left out: a mailbox is of no country")));
    }
    if countries.is_empty() && tenants.is_empty() && services.is_empty() {
        return Err(ConfigError::new(key, ConfigProblem::FitsAll));
    }
    let providers_key = format!("{key}.providers");
    if providers.is_empty() {
        return Err(ConfigError::new(providers_key, ConfigProblem::Empty));
    }
    Ok(Narrowed {
        countries: read(countries, &countries_key, "a two-letter code of a country, such as \"IN\"")?,
        tenants: read(tenants, &format!("{key}.tenants"), "the id of a tenant, as `countersign tenant list` shows it")?,
        services: read(services, &format!("{key}.services"), "the id of a service: a UUID")?,
        list: list(built, channel, &providers_key, providers)?,
    })
}

fn read<T: FromStr>(texts: &[String], key: &str, form: &'static str) -> Result<Vec<T>, ConfigError> {
    let parse = |(position, text): (usize, &String)| {
        text.parse().map_err(|_| ConfigError::new(format!("{key}[{position}]"), ConfigProblem::Form(form)))
    };
    texts.iter().enumerate().map(parse).collect()
}

fn list(
    built: &BTreeMap<&str, Arc<Outlet>>,
    channel: Channel,
    key: &str,
    providers: &[ProviderRef],
) -> Result<List, ConfigError> {
    let mut chosen = Vec::with_capacity(providers.len());
    for (position, listed) in providers.iter().enumerate() {
        let wrong = |problem| Err(ConfigError::new(format!("{key}[{position}]"), problem));
        let name = listed.name();
        let Some(outlet) = built.get(name) else {
            return wrong(ConfigProblem::UnknownProvider(name.to_owned()));
        };
        if providers[..position].iter().any(|earlier| earlier.name() == name) {
            return wrong(ConfigProblem::NamedTwice(name.to_owned()));
        }
        if !outlet.provider.serves(channel) {
            return wrong(ConfigProblem::DoesNotServe { provider: name.to_owned(), channel });
        }
        let weight = listed.weight().unwrap_or(1);
        if !(1..=HEAVIEST).contains(&weight) {
            let key = format!("{key}[{position}].weight");
            return Err(ConfigError::new(key, ConfigProblem::Range { least: 1, most: HEAVIEST.into() }));
        }
        chosen.push((Arc::clone(outlet), weight));
    }
    let is_drawn = providers.iter().any(|listed| listed.weight().is_some());
    Ok(if is_drawn { List::drawn(chosen) } else { List::ordered(chosen.into_iter().map(|(outlet, _)| outlet)) })
}

/// What can be said without building a provider. Gives the parts that a text message may be cut into.
pub(super) fn check(
    providers: &ProvidersConfig,
    channels: &ChannelsConfig,
    delivery: &DeliveryConfig,
) -> Result<usize, ConfigError> {
    check_delivery(delivery, providers)?;
    let segments = channels.sms.max_segments;
    in_bounds("channels.sms.max_segments", segments as u64, 1, 10)?;
    Ok(segments)
}

fn check_delivery(delivery: &DeliveryConfig, providers: &ProvidersConfig) -> Result<(), ConfigError> {
    let breaker = delivery.breaker;
    let bounds = [
        ("delivery.try_timeout_seconds", delivery.try_timeout_seconds, 1, 120),
        ("delivery.deadline_seconds", delivery.deadline_seconds, delivery.try_timeout_seconds, 300),
        ("delivery.breaker.failures", breaker.failures.into(), 1, 1_000),
        ("delivery.breaker.percent", breaker.percent.into(), 1, 100),
        ("delivery.breaker.window", breaker.window.into(), 5, 1_000),
        ("delivery.breaker.pause_seconds", breaker.pause_seconds, 0, 600),
        ("delivery.breaker.probes", breaker.probes.into(), 1, 100),
    ];
    for (key, value, least, most) in bounds {
        in_bounds(key, value, least, most)?;
    }
    for (name, seconds) in &delivery.try_timeouts {
        let key = format!("delivery.try_timeouts.{name}");
        check_known(&key, name, providers)?;
        in_bounds(&key, *seconds, 1, delivery.deadline_seconds.min(120))?;
    }
    for (name, per_second) in &delivery.limits {
        let key = format!("delivery.limits.{name}");
        check_known(&key, name, providers)?;
        in_bounds(&key, (*per_second).into(), 1, 10_000)?;
    }
    Ok(())
}

fn in_bounds(key: &str, value: u64, least: u64, most: u64) -> Result<(), ConfigError> {
    if (least..=most).contains(&value) { Ok(()) } else { Err(ConfigError::new(key, ConfigProblem::Range { least, most })) }
}

fn check_known(key: &str, name: &str, providers: &ProvidersConfig) -> Result<(), ConfigError> {
    if providers.contains_key(name) {
        Ok(())
    } else {
        Err(ConfigError::new(key, ConfigProblem::UnknownProvider(name.to_owned())))
    }
}

pub(super) fn check_name(name: &str) -> Result<(), ConfigError> {
    let key = || format!("providers.{name}");
    let sound =
        (1..=32).contains(&name.len()) && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
    if !sound {
        return Err(ConfigError::new(key(), ConfigProblem::Name));
    }
    if name == Sandbox::NAME || name == ProviderName::TEST_RECIPIENT {
        return Err(ConfigError::new(key(), ConfigProblem::NameTaken));
    }
    Ok(())
}
