//! Which providers carry which channel.

mod build;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_model::{Channel, Clock, Mode, OsRng, PerChannel, ProviderName, Rng};
use tokio::sync::mpsc;

use crate::config::{ChannelsConfig, ConfigError, DeliveryConfig, OnUnclear, ProvidersConfig};
use crate::lists::{Lane, List};
use crate::outlet::{Health, Outlet};
use crate::provider::Provider;
use crate::providers::sandbox::Sandbox;
use crate::receipts::Pushed;
use crate::registry::{self, ProviderContext};

/// Every way out, built and checked: what a [`crate::Router`] works from.
pub struct Routes {
    /// The configured ones.
    pub(crate) outlets: Vec<Arc<Outlet>>,
    pub(crate) delivery: DeliveryConfig,
    pub(crate) max_segments: usize,
    /// Draws from lists with weights.
    pub(crate) rng: Arc<dyn Rng>,
    live: PerChannel<Lane>,
    sandbox: Lane,
    /// Of what kind the configured ones are.
    kinds: BTreeMap<ProviderName, &'static str>,
    /// What comes in over connections that providers hold open; none: taken.
    pushed: Mutex<Option<mpsc::Receiver<Pushed>>>,
}

/// Receipts that may wait to be taken in before the other side is made to wait.
const PUSHED: usize = 1_000;

/// What providers need from the house.
pub struct House {
    /// Dates messages.
    pub clock: Arc<dyn Clock>,
    /// Chance, for nonces and for draws from lists with weights.
    pub rng: Arc<dyn Rng>,
    /// Where the house is reached from outside, `https://otp.example.com`; none: nobody is asked to post receipts.
    pub public_url: Option<String>,
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
    /// How it fares.
    pub health: Health,
}

impl Routes {
    /// Builds every configured provider, also those that no channel uses, so that a mistake is found at start.
    ///
    /// Reads the files that `*_file` keys name. Connects to nobody.
    pub fn build(
        providers: &ProvidersConfig,
        channels: &ChannelsConfig,
        delivery: DeliveryConfig,
        house: &House,
    ) -> Result<Self, ConfigError> {
        let segments = build::check(providers, channels, &delivery)?;
        let (push, pushed) = mpsc::channel(PUSHED);
        let common = ProviderContext::common(house, build::patience(delivery.try_timeout()), push);
        let mut built: BTreeMap<&str, Arc<Outlet>> = BTreeMap::new();
        let mut kinds = BTreeMap::new();
        for (name, config) in providers {
            build::check_name(name)?;
            let has_own_time = delivery.try_timeouts.contains_key(name);
            let own_patience = has_own_time.then(|| build::patience(delivery.try_timeout_of(name)));
            let context = common.of(name, config.kind(), own_patience);
            kinds.insert(context.name.clone(), config.kind());
            built.insert(name, Outlet::new(registry::build(config, context)?, &delivery));
        }

        let mut live = BTreeMap::new();
        for channel in Channel::ALL {
            live.insert(channel, build::lane(&built, channel, channels.section(channel))?);
        }
        Ok(Self {
            outlets: built.into_values().collect(),
            live: PerChannel::from_fn(|channel| live.remove(&channel).unwrap_or_default()),
            kinds,
            pushed: Mutex::new(Some(pushed)),
            rng: Arc::clone(&house.rng),
            ..Self::of([], delivery, segments)
        })
    }

    /// No way out for live messages: for a process that sends nothing, and may not read what providers' `*_file` keys name.
    pub fn closed(providers: &ProvidersConfig, channels: &ChannelsConfig, delivery: DeliveryConfig) -> Result<Self, ConfigError> {
        let segments = build::check(providers, channels, &delivery)?;
        Ok(Self::of([], delivery, segments))
    }

    /// Routes over providers made elsewhere, such as a test's doubles: of each channel a list in order.
    #[must_use]
    pub fn of(
        channels: impl IntoIterator<Item = (Channel, Vec<Arc<dyn Provider>>)>,
        delivery: DeliveryConfig,
        max_segments: usize,
    ) -> Self {
        let mut outlets: Vec<Arc<Outlet>> = Vec::new();
        let mut live = BTreeMap::new();
        for (channel, providers) in channels {
            let mut chosen = Vec::with_capacity(providers.len());
            for provider in providers {
                let known = outlets.iter().find(|known| known.name() == provider.name());
                let outlet = known.cloned().unwrap_or_else(|| Outlet::new(provider, &delivery));
                if known.is_none() {
                    outlets.push(Arc::clone(&outlet));
                }
                chosen.push(outlet);
            }
            live.insert(channel, Lane { own: List::ordered(chosen), ..Lane::default() });
        }
        let sandbox = Lane { own: List::ordered([Outlet::new(Arc::new(Sandbox::new()), &delivery)]), ..Lane::default() };
        let live = PerChannel::from_fn(|channel| live.remove(&channel).unwrap_or_default());
        let (rng, kinds, pushed) = (Arc::new(OsRng), BTreeMap::new(), Mutex::new(None));
        Self { outlets, delivery, max_segments, rng, live, sandbox, kinds, pushed }
    }

    /// Every provider, the configured ones first.
    pub(crate) fn ways_out(&self) -> Vec<WayOut> {
        let carried = |outlet: &Arc<Outlet>| -> Vec<Channel> {
            let carries = |channel: &Channel| self.live.get(*channel).everybody().any(|other| Arc::ptr_eq(other, outlet));
            Channel::ALL.into_iter().filter(carries).collect()
        };
        let live = self.outlets.iter().map(|outlet| WayOut {
            name: outlet.name().clone(),
            kind: self.kinds.get(outlet.name()).copied(),
            mode: Mode::Live,
            channels: carried(outlet),
            health: outlet.health(),
        });
        let sandbox = self.sandbox.everybody().map(|outlet| WayOut {
            name: outlet.name().clone(),
            kind: None,
            mode: Mode::Sandbox,
            channels: Channel::ALL.into(),
            health: outlet.health(),
        });
        live.chain(sandbox).collect()
    }

    /// Everybody, the sandbox too.
    pub(crate) fn everybody(&self) -> impl Iterator<Item = &Arc<Outlet>> {
        self.outlets.iter().chain(self.sandbox.everybody())
    }

    /// What comes in over connections that providers hold open: handed out once.
    pub(crate) fn take_pushed(&self) -> Option<mpsc::Receiver<Pushed>> {
        self.pushed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The configured provider of that kind and name.
    pub(crate) fn connection(&self, kind: &str, name: &str) -> Option<&Arc<dyn Provider>> {
        let outlet = self.outlets.iter().find(|outlet| outlet.name().as_str() == name)?;
        (self.kinds.get(outlet.name()).copied() == Some(kind)).then_some(&outlet.provider)
    }

    /// All lists of a channel.
    pub(crate) fn lane(&self, mode: Mode, channel: Channel) -> &Lane {
        match mode {
            Mode::Sandbox => &self.sandbox,
            Mode::Live => self.live.get(channel),
        }
    }

    /// What follows an unclear try on `channel`.
    pub(crate) fn on_unclear(&self, channel: Channel) -> OnUnclear {
        self.live.get(channel).on_unclear.unwrap_or(self.delivery.on_unclear)
    }
}

// Whole configurations, with these kinds in them.
#[cfg(all(test, feature = "console", feature = "http", feature = "smtp"))]
mod tests;
