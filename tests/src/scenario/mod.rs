//! Exchanges with a server, written down as they stand on a page: `tests/scenarios/<dialect>/*.yaml`.
//!
//! A file is a list of scenarios; each has a server of its own:
//!
//! ```yaml
//! - title: A code is sent and comes back right
//!   source: "API reference, Send OTP"       # where the exchange is written
//!   config: {limits.calls_per_key: 5/1m}    # settings of countersign.toml
//!   services: [{id: 7d1f…, wrong_code: error}]  # [[services]] of countersign.toml
//!   keys: {reader: {kind: test, read_only: true}, stranger: {kind: live, foreign: true}}
//!   gateway: true                           # a double that takes live text messages
//!   steps:
//!     - call: POST /v1/send
//!       headers: {Authorization: "Bearer ${key.test}"}
//!       body: {to: "+12025550143", method: sms, type: verification}
//!       status: 200
//!       reply: {id: <otp-id>, to: "+12025550143", "...": <any>}
//!       reply_headers: {X-RateLimit-Limit: "1000"}
//!       save: {id: $.id, code: $.sandbox_otp}
//!     - advance: 301
//! ```
//!
//! A reply must be as it is written, no field more or less, unless the object has the field `...`. What cannot be known beforehand is written as
//! a form: see [`form`]. `${name}` stands for what was saved, `${name|wrong}` for a code of the same length that is another one. Known from the
//! start are `key.<name>` and `access.<name>` of each key (`test`, `live` and those wished for), and `tenant`.
//! `raw` with `type` sends any bytes as any media type; `times` makes the same call at once that often and expects the statuses of
//! `statuses`, as `{200: 1, 409: 99}`; `operator: true` calls the admin API with a token that may do everything; `sweep: true` does what
//! time asks for.

mod check;
pub mod form;
mod play;
mod values;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

pub use play::play;

/// One exchange, from an empty server on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows, as a sentence.
    pub title: String,
    /// The page and section that it is taken from, or the line of our own documentation.
    pub source: String,
    #[serde(default)]
    config: BTreeMap<String, Value>,
    #[serde(default)]
    services: Vec<BTreeMap<String, Value>>,
    #[serde(default)]
    keys: BTreeMap<String, Key>,
    #[serde(default)]
    gateway: bool,
    steps: Vec<Step>,
}

/// A key beside `test` and `live`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    kind: String,
    #[serde(default)]
    read_only: bool,
    #[serde(default)]
    foreign: bool,
    /// The pages of a key for browsers.
    #[serde(default)]
    origins: Vec<String>,
}

/// One thing after the other.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// Method and path.
    call: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    raw: Option<String>,
    #[serde(rename = "type")]
    media_type: Option<String>,
    #[serde(default)]
    operator: bool,
    status: Option<u16>,
    reply: Option<Value>,
    #[serde(default)]
    reply_headers: BTreeMap<String, String>,
    #[serde(default)]
    save: BTreeMap<String, String>,
    times: Option<usize>,
    #[serde(default)]
    statuses: BTreeMap<String, usize>,
    /// Lets so many seconds pass.
    advance: Option<u64>,
    #[serde(default)]
    sweep: bool,
}

/// The scenarios of a folder, by file, in order.
pub fn read(folder: &Path) -> Vec<(String, Vec<Scenario>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder).expect("scenarios").map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    assert!(!files.is_empty(), "no scenarios in {}", folder.display());
    files.iter().map(|file| (file.display().to_string(), parse(file))).collect()
}

fn parse(file: &Path) -> Vec<Scenario> {
    let text = std::fs::read_to_string(file).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
