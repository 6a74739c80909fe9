//! Which providers carry which channel.

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign_model::{Channel, Clock, Mode, ProviderName};

use crate::config::{ChannelsConfig, ConfigError, ConfigProblem, DeliveryConfig, ProvidersConfig};
use crate::http::SharedClient;
use crate::provider::Provider;
use crate::providers::sandbox::Sandbox;
use crate::registry::{self, ProviderContext};

/// Every way out, built and checked: what a [`crate::Router`] works from.
pub struct Routes {
    pub(crate) providers: Vec<Arc<dyn Provider>>,
    pub(crate) delivery: DeliveryConfig,
    pub(crate) max_segments: usize,
    live: BTreeMap<Channel, Vec<Arc<dyn Provider>>>,
    sandbox: Vec<Arc<dyn Provider>>,
    /// Of what kind the configured ones are.
    kinds: BTreeMap<ProviderName, &'static str>,
}

/// A provider as an operator knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayOut {
    /// The operator's name for it.
    pub name: ProviderName,
    /// Its `kind` in the configuration; none: it is not from there.
    pub kind: Option<&'static str>,
    /// Whose messages it takes.
    pub mode: Mode,
    /// The channels that it is used for; none: it is configured and no channel names it.
    pub channels: Vec<Channel>,
}

impl Routes {
    /// Builds every configured provider, also those that no channel uses, so that a mistake is found at start.
    ///
    /// Reads the files that `*_file` keys name. Connects to nobody.
    pub fn build(
        providers: &ProvidersConfig,
        channels: &ChannelsConfig,
        delivery: DeliveryConfig,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        check_delivery(delivery)?;
        let segments = channels.sms.max_segments;
        if !(1..=10).contains(&segments) {
            return Err(ConfigError::new("channels.sms.max_segments", ConfigProblem::Range { least: 1, most: 10 }));
        }

        let patience = delivery.try_timeout() * 3 / 4;
        let http = SharedClient::new(patience);
        let mut built: BTreeMap<&str, Arc<dyn Provider>> = BTreeMap::new();
        for (name, config) in providers {
            check_name(name)?;
            let context = ProviderContext {
                name: ProviderName::new(name),
                key: format!("providers.{name}"),
                clock: Arc::clone(clock),
                patience,
                http: http.clone(),
            };
            built.insert(name, registry::build(config, context)?);
        }

        let mut live = BTreeMap::new();
        for channel in Channel::ALL {
            live.insert(channel, choose(&built, channel, channels.providers(channel))?);
        }
        let kinds = providers.iter().map(|(name, config)| (ProviderName::new(name), config.kind())).collect();
        Ok(Self { providers: built.into_values().collect(), live, kinds, ..Self::of([], delivery, segments) })
    }

    /// Routes over providers made elsewhere, such as a test's doubles.
    #[must_use]
    pub fn of(
        channels: impl IntoIterator<Item = (Channel, Vec<Arc<dyn Provider>>)>,
        delivery: DeliveryConfig,
        max_segments: usize,
    ) -> Self {
        let live: BTreeMap<_, _> = channels.into_iter().collect();
        let mut providers: Vec<Arc<dyn Provider>> = Vec::new();
        for provider in live.values().flatten() {
            if providers.iter().all(|known| known.name() != provider.name()) {
                providers.push(Arc::clone(provider));
            }
        }
        Self { providers, delivery, max_segments, live, sandbox: vec![Arc::new(Sandbox::new())], kinds: BTreeMap::new() }
    }

    /// Every provider, the configured ones first.
    pub(crate) fn ways_out(&self) -> Vec<WayOut> {
        let carried = |name: &ProviderName| -> Vec<Channel> {
            let carries = |channel: &Channel| self.providers(Mode::Live, *channel).iter().any(|provider| provider.name() == name);
            Channel::ALL.into_iter().filter(carries).collect()
        };
        let live = self.providers.iter().map(|provider| WayOut {
            name: provider.name().clone(),
            kind: self.kinds.get(provider.name()).copied(),
            mode: Mode::Live,
            channels: carried(provider.name()),
        });
        let sandbox = self.sandbox.iter().map(|provider| WayOut {
            name: provider.name().clone(),
            kind: None,
            mode: Mode::Sandbox,
            channels: Channel::ALL.into(),
        });
        live.chain(sandbox).collect()
    }

    /// The providers for a message, first choice first. Empty: it has no way out.
    pub(crate) fn providers(&self, mode: Mode, channel: Channel) -> &[Arc<dyn Provider>] {
        match mode {
            Mode::Sandbox => &self.sandbox,
            Mode::Live => self.live.get(&channel).map_or(&[], Vec::as_slice),
        }
    }
}

fn check_delivery(delivery: DeliveryConfig) -> Result<(), ConfigError> {
    let bounds = [
        ("delivery.try_timeout_seconds", delivery.try_timeout_seconds, 1, 120),
        ("delivery.deadline_seconds", delivery.deadline_seconds, delivery.try_timeout_seconds, 300),
    ];
    for (key, value, least, most) in bounds {
        if !(least..=most).contains(&value) {
            return Err(ConfigError::new(key, ConfigProblem::Range { least, most }));
        }
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), ConfigError> {
    let key = || format!("providers.{name}");
    let sound =
        (1..=32).contains(&name.len()) && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
    if !sound {
        return Err(ConfigError::new(key(), ConfigProblem::Name));
    }
    if name == Sandbox::NAME {
        return Err(ConfigError::new(key(), ConfigProblem::NameTaken));
    }
    Ok(())
}

fn choose(
    built: &BTreeMap<&str, Arc<dyn Provider>>,
    channel: Channel,
    names: &[String],
) -> Result<Vec<Arc<dyn Provider>>, ConfigError> {
    let wrong = |problem| Err(ConfigError::new(format!("channels.{channel}.providers"), problem));
    let mut chosen = Vec::with_capacity(names.len());
    for (position, name) in names.iter().enumerate() {
        let Some(provider) = built.get(name.as_str()) else {
            return wrong(ConfigProblem::UnknownProvider(name.clone()));
        };
        if names[..position].contains(name) {
            return wrong(ConfigProblem::NamedTwice(name.clone()));
        }
        if !provider.serves(channel) {
            return wrong(ConfigProblem::DoesNotServe { provider: name.clone(), channel });
        }
        chosen.push(Arc::clone(provider));
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests;
