//! Holds the sections that the pages of `docs/providers` show to what a section may be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Format as _, Toml};
use serde_json::Value;

use crate::config::ChannelsConfig;
use crate::registry::ProviderConfig;

fn pages() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/providers");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: &PathBuf| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap());
    paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "md")).map(read).collect()
}

/// The TOML of a page, block by block.
fn blocks(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut rest = page;
    while let Some((_, begun)) = rest.split_once("```toml\n") {
        let (block, after) = begun.split_once("```").unwrap_or((begun, ""));
        blocks.push(block.to_owned());
        rest = after;
    }
    blocks
}

#[test]
fn every_section_that_a_page_shows_is_one_that_can_be_written() {
    let mut held = 0;
    for (name, page) in pages() {
        for block in blocks(&page) {
            let at = format!("in docs/providers/{name}.md:\n{block}");
            let shown: Result<BTreeMap<String, Value>, _> = Figment::from(Toml::string(&block)).extract();
            let shown = shown.unwrap_or_else(|error| panic!("{error} {at}"));
            for (key, section) in shown.get("providers").and_then(Value::as_object).into_iter().flatten() {
                held += 1;
                match serde_json::from_value::<ProviderConfig>(section.clone()) {
                    Ok(_) => {}
                    // Left out of this build.
                    Err(error) if error.to_string().contains("unknown variant") && section["kind"] == name.as_str() => {}
                    Err(error) => panic!("providers.{key}: {error} {at}"),
                }
            }
            if let Some(channels) = shown.get("channels") {
                serde_json::from_value::<ChannelsConfig>(channels.clone())
                    .unwrap_or_else(|error| panic!("channels: {error} {at}"));
            }
        }
    }
    assert!(held > 0, "the pages show no section");
}
