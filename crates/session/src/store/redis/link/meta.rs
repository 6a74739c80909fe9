//! What tells a store of ours from an empty Redis.
//!
//! `meta` stands in every partition as `<layout>:<generation>`. No step is taken without it, and only a person's wish writes it: a Redis that
//! comes back empty must not pass for one in which no limit was ever used.

use std::str::FromStr;
use std::time::Duration;

use countersign_model::Partition;
use redis::RedisResult;
use tokio::time::sleep;

use super::error::LinkError;
use super::shared::Shared;
use super::tags::{partitions, tag};

/// What the key is called behind the tag.
pub(crate) const META: &str = "meta";

/// The form in which this release writes values.
pub(crate) const LAYOUT: u32 = 1;

/// How often and how far apart a store is looked at that somebody else is just initialising.
const LOOKS: (u32, Duration) = (20, Duration::from_millis(50));

/// The `meta` of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meta {
    /// The form of the values.
    pub(crate) layout: u32,
    /// Another whenever the partition began anew: when that was, in ms since the epoch, by Redis's clock.
    pub(crate) generation: u64,
}

impl FromStr for Meta {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let parsed = text.split_once(':').and_then(|(layout, generation)| Some((layout.parse().ok()?, generation.parse().ok()?)));
        let (layout, generation) = parsed.ok_or_else(|| LinkError::Uninitialised("meta cannot be read".to_owned()))?;
        Ok(Self { layout, generation })
    }
}

/// Why a store was not initialised.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InitError {
    /// Some partitions hold data, or all.
    #[error("{} of 16 partitions hold data already", .0.len())]
    HoldsData(Vec<Partition>),
    /// Redis cannot be asked.
    #[error(transparent)]
    Link(#[from] LinkError),
}

/// The whole key of a partition.
pub(super) fn key(partition: Partition) -> String {
    [tag(partition), META].concat()
}

impl Shared {
    /// What stands in each partition.
    pub(super) async fn meta(&self) -> Result<Vec<(Partition, Option<Meta>)>, LinkError> {
        let mut metas = Vec::new();
        for partition in partitions() {
            let mut connection = self.own(partition).await?;
            let found: RedisResult<Option<String>> = redis::cmd("GET").arg(key(partition)).query_async(&mut connection).await;
            let found = found.map_err(|error| LinkError::unavailable(&error))?;
            metas.push((partition, found.map(|text| text.parse()).transpose()?));
        }
        Ok(metas)
    }

    /// Writes `meta` where it is missing. Where some partition has one it does so only if `force` says so: a store that has lost a part begins
    /// anew there, with limits unused and balances at zero. What is there is never overwritten.
    pub(super) async fn init(&self, force: bool) -> Result<(), InitError> {
        let metas = self.meta().await?;
        let holding: Vec<Partition> = metas.iter().filter(|(_, meta)| meta.is_some()).map(|(partition, _)| *partition).collect();
        if !holding.is_empty() && !force {
            return Err(InitError::HoldsData(holding));
        }
        for (partition, _) in metas.into_iter().filter(|(_, meta)| meta.is_none()) {
            self.begin(partition).await?;
        }
        Ok(())
    }

    /// For the very first start, when nobody has used the installation yet: initialises a store that is empty everywhere, and leaves one that is
    /// whole as it is. Several nodes may do so at once. A store that stays half initialised is refused.
    pub(super) async fn init_if_empty(&self) -> Result<(), InitError> {
        let mut holding = Vec::new();
        for look in 0..LOOKS.0 {
            if look > 0 {
                // Another node may be at it.
                sleep(LOOKS.1).await;
            }
            match self.init(false).await {
                Err(InitError::HoldsData(some)) if some.len() < usize::from(Partition::COUNT) => holding = some,
                Ok(()) | Err(InitError::HoldsData(_)) => return Ok(()),
                Err(InitError::Link(error)) => return Err(error.into()),
            }
        }
        Err(InitError::HoldsData(holding))
    }

    async fn begin(&self, partition: Partition) -> Result<(), LinkError> {
        let mut connection = self.own(partition).await?;
        let written: RedisResult<()> = async {
            let (seconds, micros): (u64, u64) = redis::cmd("TIME").query_async(&mut connection).await?;
            let meta = format!("{LAYOUT}:{}", seconds * 1000 + micros / 1000);
            redis::cmd("SET").arg(key(partition)).arg(meta).arg("NX").exec_async(&mut connection).await
        }
        .await;
        written.map_err(|error| LinkError::unavailable(&error))
    }
}
