//! Imports run one way. Whoever adds a dependency between rooms changes this table, and says why in the same change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Who may see whom.
const TABLE: [(&str, &[&str]); 10] = [
    ("model", &[]),
    // Servers for tests: the rooms that it is named in depend on it for their tests alone.
    ("testing", &[]),
    ("session", &["model", "testing"]),
    ("channels", &["model"]),
    ("records", &["model", "testing"]),
    ("webhooks", &["model"]),
    ("core", &["model", "session", "channels", "records", "webhooks", "testing"]),
    ("api", &["model", "core"]),
    ("countersign", &["model", "session", "channels", "records", "webhooks", "core", "api"]),
    ("tests", &["model", "session", "channels", "records", "webhooks", "core", "api", "countersign", "testing"]),
];

/// `countersign-model` lives in the room `model`; `countersign` in its own.
fn room(package: &str) -> Option<&str> {
    if package == "countersign" { Some(package) } else { package.strip_prefix("countersign-") }
}

#[test]
fn no_room_sees_more_than_it_may() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let told = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path"])
        .arg(manifest)
        .output()
        .unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let metadata: Value = serde_json::from_slice(&told.stdout).unwrap();
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        TABLE.iter().map(|(room, sees)| (*room, sees.iter().copied().collect())).collect();
    let mut found = BTreeSet::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = room(package["name"].as_str().unwrap()).expect("every package is a room");
        let may_see = allowed.get(name).unwrap_or_else(|| panic!("the room {name} is not in the table"));
        let dependencies = package["dependencies"].as_array().unwrap();
        for seen in dependencies.iter().filter_map(|dependency| room(dependency["name"].as_str().unwrap())) {
            assert!(may_see.contains(seen), "{name} must not see {seen}");
        }
        found.insert(name.to_owned());
    }
    assert_eq!(found, allowed.keys().map(ToString::to_string).collect(), "the table names the rooms there are");
}
