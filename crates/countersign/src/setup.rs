//! What several nodes share has to be set up once, before the first of them starts.

use std::sync::Arc;

use countersign_core::manage::NewKey;
use countersign_model::{Rng, Timestamp};
use countersign_session::CodeKeys;

use crate::app::AppError;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::installation::Installation;
use crate::planes;

/// What a set-up made.
#[derive(Debug)]
pub struct SetUp {
    /// The key file was not there.
    pub made_keys: bool,
    /// The sandbox key of the tenant `default`, where there was no tenant: to be shown once.
    pub first_key: Option<NewKey>,
}

/// Makes what is missing: the key file, the marks of an empty Redis, the tenant `default`. Run again, it changes nothing.
///
/// A Redis that is empty while there are tenants has lost its sessions, limits and balances: it is left as it is, for a person to decide
/// (`countersign store init`).
pub async fn shared(config: &Config, data_dir: &DataDir, now: Timestamp, rng: &dyn Rng) -> Result<SetUp, AppError> {
    let key_file = config.key_file(data_dir);
    data_dir.create()?;
    let made_keys = Installation::make_keys(&key_file, now, rng)?;
    let records = planes::open_records(config, data_dir).await?;
    records.reach().await?;
    records.check().await?.require_current()?;
    if records.tenants().list().await?.is_empty() {
        let keys = Arc::new(CodeKeys::open(&Installation::shared_keys(&key_file)?)?);
        if let Some(redis) = planes::redis(config, &keys)? {
            planes::claim(&redis).await?;
            redis.init_if_empty().await?;
        }
    }
    let first_key = Installation::first_tenant(&records, now, rng).await?;
    records.close().await;
    Ok(SetUp { made_keys, first_key })
}
