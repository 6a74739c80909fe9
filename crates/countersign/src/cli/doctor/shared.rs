//! The planes that several nodes share.

use std::sync::Arc;

use countersign_model::Timestamp;
use countersign_records::{Records, RecordsError};
use countersign_session::CodeKeys;
use countersign_session::store::Severity;

use super::files;
use super::report::Report;
use crate::DataDir;
use crate::config::Config;
use crate::planes;
use crate::secrets;

/// Bytes that Redis needs for a session while its codes live, with its counts and its place in the log; measured, rounded up.
const LIVE_BYTES: u64 = 2_500;
/// Bytes that stay of it for the rest of its day.
const KEPT_BYTES: u64 = 700;
/// Seconds for which these stay.
const KEPT_SECONDS: u64 = 25 * 3_600;
/// Seconds for which codes usually live.
const LIVE_SECONDS: u64 = 600;

pub(super) async fn check(config: &Config, data_dir: &DataDir, now: Timestamp, report: &mut Report) {
    let key_file = config.key_file(data_dir);
    files::check_keys(&key_file, report);
    if let Ok(material) = secrets::load(&key_file)
        && let Ok(keys) = CodeKeys::open(&material)
    {
        check_redis(config, &Arc::new(keys), report).await;
    }
    check_database(config, data_dir, now, report).await;
}

async fn check_redis(config: &Config, keys: &Arc<CodeKeys>, report: &mut Report) {
    let store = match planes::redis(config, keys) {
        Ok(Some(store)) => store,
        Ok(None) => return,
        Err(error) => return report.fail("redis", error.to_string(), "mend the section redis"),
    };
    let health = store.examine().await;
    for node in &health.nodes {
        let name = format!("redis {}", node.address);
        match &node.state {
            Ok(facts) => {
                report.ok(&name, format!("version {}, {} of 16 partitions", facts.version, node.partitions.len()));
                let bound = if facts.max_memory > 0 { facts.max_memory } else { facts.system_memory };
                report.ok(&name, carries(bound / 100 * u64::from(config.redis.memory_max_percent)));
            }
            Err(why) => report.fail(&name, why, "start it, or mend the section redis"),
        }
    }
    for finding in health.findings(config.redis.memory_max_percent) {
        let name = format!("redis {}", finding.server);
        match finding.severity {
            Severity::Note => report.ok(name, finding.text),
            Severity::Warning => report.warn(name, finding.text, "see docs/guides/self-hosting.md"),
            Severity::Fault => report.fail(name, finding.text, "see docs/guides/self-hosting.md"),
        }
    }
    if health.nodes.is_empty() {
        report.fail("redis", "no server was found", "start it, or mend the section redis");
    }
}

/// What so many bytes are good for: rate times time kept times bytes.
fn carries(bytes: u64) -> String {
    let for_one_a_second = LIVE_SECONDS * LIVE_BYTES + KEPT_SECONDS * KEPT_BYTES;
    let rate = bytes / for_one_a_second;
    format!(
        "{} MiB for sessions: about {rate} sends a second all day (each {LIVE_BYTES} bytes for {} min, then {KEPT_BYTES} for a day)",
        bytes / 1_048_576,
        LIVE_SECONDS / 60,
    )
}

async fn check_database(config: &Config, data_dir: &DataDir, now: Timestamp, report: &mut Report) {
    let records = match planes::open_records(config, data_dir).await {
        Ok(records) => records,
        Err(error) => return report.fail("records database", error.to_string(), "mend the section database"),
    };
    match form(&records).await {
        Ok(()) => {
            report.ok("records database", "reached; its tables are in this release's form");
            files::check_api_keys(&records, now, report).await;
        }
        Err(error @ (RecordsError::NotMigrated { .. } | RecordsError::Newer { .. })) => {
            report.fail("records database", error.to_string(), "run countersign migrate with the newest release");
        }
        Err(error) => report.fail("records database", error.to_string(), "start it, or mend the section database"),
    }
    records.close().await;
}

async fn form(records: &Records) -> Result<(), RecordsError> {
    records.reach().await?;
    records.check().await?.require_current()
}
