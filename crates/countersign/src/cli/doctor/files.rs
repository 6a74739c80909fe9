//! What lies in the data directory.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use countersign_model::{KeyKind, Timestamp};
use countersign_records::{Records, check_file};

use super::report::Report;
use crate::DataDir;
use crate::secrets::{self, permissions};

/// A commit that takes longer holds up everybody who waits for it.
const SLOW_SYNC: Duration = Duration::from_millis(20);

pub(super) async fn check(data_dir: &DataDir, now: Timestamp, report: &mut Report) {
    let shown = data_dir.path().display().to_string();
    let mode = match permissions(data_dir.path()) {
        Ok(mode) => mode,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return report.fail(
                "data directory",
                format!("{shown} is not there"),
                "run countersign init, or name the right --data-dir",
            );
        }
        Err(error) => {
            return report.fail("data directory", format!("{shown}: {error}"), "let the user that runs the server own it");
        }
    };
    if is_shared(mode) {
        let advice = format!("run chmod 700 {shown}");
        report.warn("data directory", format!("{shown} is open to other users (mode {mode:o})"), advice);
    } else {
        report.ok("data directory", shown);
    }
    check_sync(data_dir.path(), report);
    check_keys(&data_dir.key_file(), report);
    let records = check_database("records database", &data_dir.records_file(), report).await;
    check_database("session database", &data_dir.hot_file(), report).await;
    if records {
        match Records::open(&data_dir.records_file()).await {
            Ok(records) => check_api_keys(&records, now, report).await,
            Err(error) => report.fail("API keys", error.to_string(), "stop the server and put back a backup"),
        }
    }
}

/// Whether others than the owner can do anything with it.
const fn is_shared(mode: u32) -> bool {
    mode & 0o077 != 0
}

/// Writes a little and waits until it is on the disk, as every commit does.
fn check_sync(folder: &Path, report: &mut Report) {
    let probe = folder.join("doctor.probe");
    let synced = (|| -> io::Result<Duration> {
        let mut file = File::create(&probe)?;
        file.write_all(&[0; 4096])?;
        let started = Instant::now();
        file.sync_all()?;
        Ok(started.elapsed())
    })();
    // Nothing depends on the probe being gone; the next run replaces it.
    let _ = fs::remove_file(&probe);
    match synced {
        Ok(took) if took > SLOW_SYNC => {
            report.warn(
                "disk",
                format!("a commit takes {} ms", took.as_millis()),
                "answers wait for the disk: use a local SSD, not a network volume",
            );
        }
        Ok(took) => report.ok("disk", format!("a commit takes {:.1} ms", took.as_secs_f64() * 1_000.0)),
        Err(error) => report.fail("disk", error.to_string(), "make room, and let the user that runs the server write there"),
    }
}

pub(super) fn check_keys(file: &Path, report: &mut Report) {
    match (secrets::load(file), permissions(file)) {
        (Ok(_), Ok(mode)) if is_shared(mode) => {
            report.warn(
                "key file",
                format!("its group can read it (mode {mode:o})"),
                format!("run chmod 600 {}", file.display()),
            );
        }
        (Ok(_), _) => report.ok("key file", file.display().to_string()),
        (Err(error), _) => {
            let told = error.to_string();
            let (found, advice) = told.split_once(": ").unwrap_or((&told, "put it back from a backup"));
            report.fail("key file", found, advice);
        }
    }
}

/// Whether the file is there and sound.
async fn check_database(name: &str, file: &Path, report: &mut Report) -> bool {
    // An empty one is a database that nobody has written to.
    if std::fs::metadata(file).map_or(0, |found| found.len()) == 0 {
        report.warn(name, format!("{} is not there yet", file.display()), "the first start makes it");
        return false;
    }
    match check_file(file).await {
        Ok(health) if !health.damage.is_empty() => {
            report.fail(name, format!("damaged: {}", health.damage[0]), "stop the server and put back a backup");
        }
        Ok(health) if health.journal_mode != "wal" => {
            report.fail(
                name,
                format!("journal mode is {}", health.journal_mode),
                "use a local file system that supports shared memory",
            );
        }
        Ok(_) => {
            report.ok(name, "sound; write-ahead log, commits wait for the disk");
            return true;
        }
        Err(error) => report.fail(name, format!("{error}"), "check that it is a database and that this user may read it"),
    }
    false
}

/// Whether anybody can call.
pub(super) async fn check_api_keys(records: &Records, now: Timestamp, report: &mut Report) {
    match records.api_keys().all().await {
        Ok(keys) => {
            let usable = |kind| keys.iter().filter(|key| key.kind == kind && key.is_usable(now)).count();
            let (live, test) = (usable(KeyKind::Live), usable(KeyKind::Test));
            let found = format!("{live} live, {test} test");
            if live + test == 0 {
                report.warn("API keys", found, "nobody can call: run countersign key create");
            } else {
                report.ok("API keys", found);
            }
            if keys.iter().any(|key| key.created_at > now.plus(Duration::from_secs(60))) {
                report.warn("clock", "a key was made in the future", "the clock was or is wrong: keep it right with NTP");
            }
        }
        Err(error) => report.fail("API keys", error.to_string(), "stop the server and put back a backup"),
    }
}
