//! The binary in an empty folder: what a newcomer sees first.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use countersign_tests::{binary, within_patience};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A server started as a person would, and what it says.
struct Started {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    said: Vec<String>,
}

impl Started {
    /// Starts it and reads up to the line that holds `last`.
    async fn until(data_dir: &Path, last: &str) -> Self {
        let mut child = Command::new(binary())
            .arg("serve")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("COUNTERSIGN_DATA_DIR", data_dir)
            .env("COUNTERSIGN_HTTP__LISTEN", "127.0.0.1:0")
            .env("COUNTERSIGN_ADMIN__LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut started = Self { child, lines, said: Vec::new() };
        let greeted = async {
            while let Some(line) = started.lines.next_line().await.unwrap() {
                started.said.push(line);
                if started.said.last().unwrap().contains(last) {
                    break;
                }
            }
        };
        within_patience("a greeting", greeted).await;
        started
    }

    /// Kills it, and returns all it ever said.
    async fn kill(mut self) -> String {
        self.child.kill().await.unwrap();
        while let Some(line) = self.lines.next_line().await.unwrap() {
            self.said.push(line);
        }
        self.said.join("\n")
    }
}

/// Runs the printed lines in one shell, as if pasted.
async fn pasted(lines: &[&str]) -> Vec<Value> {
    let done = Command::new("bash").arg("-c").arg(lines.join("\n")).env("NO_PROXY", "*").output();
    let done = within_patience("pasted lines", done).await.unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{text} {}", String::from_utf8_lossy(&done.stderr));
    serde_json::Deserializer::from_str(&text)
        .into_iter()
        .collect::<Result<_, _>>()
        .unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test]
async fn the_first_start_prints_a_key_and_two_lines_that_work_when_pasted() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let first = Started::until(&data, "/otp/verify").await;
    let curls: Vec<&str> = first.said.iter().map(String::as_str).filter(|line| line.contains("curl ")).collect();
    assert_eq!(curls.len(), 2, "{:?}", first.said);
    let replies = pasted(&curls).await;
    assert_eq!(replies.len(), 2, "{replies:?}");
    assert!(replies[0]["session_token"].is_string() && replies[0]["sandbox_otps"]["email"].is_string(), "{replies:?}");
    assert_eq!(replies[1]["verified"], true, "{replies:?}");
    let mode = |name: &str| std::fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700, "the data directory is its owner's alone");
    for file in ["keys.json", "hot.db"] {
        assert_eq!(mode(file), 0o600, "{file} is its owner's alone");
    }
    let words = first.kill().await;
    assert_eq!(words.lines().filter(|line| line.trim().starts_with("sk_test_")).count(), 1, "{words}");

    let words = Started::until(&data, "listening").await.kill().await;
    assert!(words.contains("http://127.0.0.1:"), "{words}");
    assert!(!words.contains("sk_") && !words.contains("curl"), "{words}");
}

#[tokio::test]
async fn two_servers_never_work_on_one_directory() {
    let dir = tempfile::tempdir().unwrap();
    let process = countersign_tests::Process::start(dir.path(), &countersign_tests::Setup::default(), &[]).await;
    let second = Command::new(binary()).args(["serve"]).env_clear().env("COUNTERSIGN_DATA_DIR", dir.path()).output();
    let second = within_patience("a refusal", second).await.unwrap();
    assert!(!second.status.success());
    let words = String::from_utf8_lossy(&second.stderr);
    assert!(words.contains("another `countersign serve`"), "{words}");
    let client = process.client().with_key(&process.first_key());
    client.send(countersign_tests::email("ann@example.com")).await;
}

#[tokio::test]
async fn a_mistake_in_the_configuration_names_its_key() {
    let dir = tempfile::tempdir().unwrap();
    for (variable, value, key) in [
        ("COUNTERSIGN_SESSION__CODE_LENGTH", "99", "session.code_length"),
        ("COUNTERSIGN_LIMITS__SENDS_PER_USER", "often", "limits.sends_per_user"),
        ("COUNTERSIGN_SESION__CODE_LENGTH", "6", "sesion"),
        ("COUNTERSIGN_CHANNELS__SMS__PROVIDERS", r#"["nobody"]"#, "channels.sms.providers"),
    ] {
        let started =
            Command::new(binary()).arg("serve").env_clear().env("COUNTERSIGN_DATA_DIR", dir.path()).env(variable, value).output();
        let started = within_patience("a refusal", started).await.unwrap();
        let words = String::from_utf8_lossy(&started.stderr).into_owned();
        assert!(!started.status.success() && words.contains(key), "{variable}: {words}");
    }
}
