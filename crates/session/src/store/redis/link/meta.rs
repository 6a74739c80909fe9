//! What tells a store of ours from an empty Redis.
//!
//! `meta` stands in every partition as `<layout>:<generation>:<owner>`. No step is taken without it, and only a person's wish writes it: a
//! Redis that comes back empty must not pass for one in which no limit was ever used. The owner tells two installations apart that were led to
//! one Redis: they would read and trim each other's log. Earlier releases wrote none; who starts first there becomes the owner.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use countersign_model::Partition;
use data_encoding::BASE64URL_NOPAD;
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
const LOOKS: (u32, Duration) = (100, Duration::from_millis(50));

/// Puts one mark in the place of another, if that still stands there.
const EXCHANGE: &str = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end redis.call('SET', KEYS[1], ARGV[2]) return 1";

/// Whose store it is: the same for all nodes of an installation, as long as it lasts. Not secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner(pub(crate) [u8; 16]);

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64URL_NOPAD.encode(&self.0))
    }
}

/// The `meta` of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meta {
    /// The form of the values.
    pub(crate) layout: u32,
    /// Another whenever the partition began anew: when that was, in ms since the epoch, by Redis's clock.
    pub(crate) generation: u64,
    /// Whose it is; none: an earlier release began it.
    pub(crate) owner: Option<Owner>,
}

impl Meta {
    /// Whether it is certainly another installation's.
    pub(super) fn is_foreign_to(&self, owner: Owner) -> bool {
        self.owner.is_some_and(|found| found != owner)
    }
}

impl fmt::Display for Meta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { layout, generation, owner } = self;
        write!(f, "{layout}:{generation}")?;
        owner.map_or(Ok(()), |owner| write!(f, ":{owner}"))
    }
}

impl FromStr for Meta {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let mut parts = text.splitn(3, ':');
        let mut read = || {
            let (layout, generation) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            let owner = match parts.next() {
                None => None,
                Some(owner) => Some(Owner(BASE64URL_NOPAD.decode(owner.as_bytes()).ok()?.try_into().ok()?)),
            };
            Some(Self { layout, generation, owner })
        };
        read().ok_or_else(|| LinkError::Uninitialised("meta cannot be read".to_owned()))
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
    /// anew there, with limits unused and balances at zero. What is there is never overwritten, but with `force` a store of another installation
    /// becomes ours with all that it holds.
    pub(super) async fn init(&self, force: bool) -> Result<(), InitError> {
        let metas = self.meta().await?;
        if !force {
            self.refuse_foreign(&metas)?;
        }
        let holding: Vec<Partition> = metas.iter().filter(|(_, meta)| meta.is_some()).map(|(partition, _)| *partition).collect();
        if !holding.is_empty() && !force {
            return Err(InitError::HoldsData(holding));
        }
        for (partition, meta) in metas {
            match meta {
                None => self.begin(partition).await?,
                Some(meta) if meta.owner == Some(self.owner) => {}
                Some(meta) => drop(self.take_over(partition, meta).await?),
            }
        }
        Ok(())
    }

    /// Refuses a store of another installation, and makes one ours that nobody owns yet. A store that is empty stays so.
    pub(super) async fn claim(&self) -> Result<(), LinkError> {
        let metas = self.meta().await?;
        self.refuse_foreign(&metas)?;
        for (partition, meta) in metas {
            // Who comes second stops there, before anything has become his: everybody begins at the first.
            if let Some(meta) = meta.filter(|meta| meta.owner.is_none())
                && !self.take_over(partition, meta).await?
            {
                return self.refuse_foreign(&self.meta().await?);
            }
        }
        Ok(())
    }

    fn refuse_foreign(&self, metas: &[(Partition, Option<Meta>)]) -> Result<(), LinkError> {
        let mut found = metas.iter().filter_map(|(_, meta)| *meta);
        if found.any(|meta| meta.is_foreign_to(self.owner)) { Err(self.foreign()) } else { Ok(()) }
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
        let found: RedisResult<Option<String>> = async {
            let (seconds, micros): (u64, u64) = redis::cmd("TIME").query_async(&mut connection).await?;
            let meta = Meta { layout: LAYOUT, generation: seconds * 1000 + micros / 1000, owner: Some(self.owner) };
            let mut set = redis::cmd("SET");
            set.arg(key(partition)).arg(meta.to_string()).arg("NX").arg("GET").query_async(&mut connection).await
        }
        .await;
        // Somebody else may have been quicker.
        let found: Option<Meta> = found.map_err(|error| LinkError::unavailable(&error))?.map(|text| text.parse()).transpose()?;
        self.refuse_foreign(&[(partition, found)])
    }

    /// Makes a partition ours; false: somebody else was quicker.
    async fn take_over(&self, partition: Partition, meta: Meta) -> Result<bool, LinkError> {
        let mut connection = self.own(partition).await?;
        let ours = Meta { owner: Some(self.owner), ..meta };
        let mut exchange = redis::cmd("EVAL");
        exchange.arg(EXCHANGE).arg(1).arg(key(partition)).arg(meta.to_string()).arg(ours.to_string());
        exchange.query_async(&mut connection).await.map_err(|error| LinkError::unavailable(&error))
    }
}
