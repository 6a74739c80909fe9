//! The binary as a person at a terminal meets it.
#![expect(clippy::unwrap_used, reason = "a test ends where its arrangement fails")]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The binary on a data directory, with nothing of the surrounding environment and listeners on free ports.
fn countersign(data_dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.env_clear().stdin(Stdio::null()).args(arguments);
    command.env("COUNTERSIGN_DATA_DIR", data_dir);
    command.env("COUNTERSIGN_HTTP__LISTEN", "127.0.0.1:0").env("COUNTERSIGN_ADMIN__LISTEN", "127.0.0.1:0");
    // Tests ask until a key is known: that must not look like an attack.
    command.env("COUNTERSIGN_LIMITS__FAILED_AUTHENTICATION", "100000/1m");
    command
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Runs a command to its end and gives what it printed, both streams where it failed.
fn printed(data_dir: &Path, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = countersign(data_dir, arguments).output().unwrap();
    assert!(status.success(), "{arguments:?}: {}{}", text(&stdout), text(&stderr));
    text(&stdout).to_owned()
}

fn json(data_dir: &Path, arguments: &[&str]) -> Value {
    let words = printed(data_dir, arguments);
    serde_json::from_str(&words).unwrap_or_else(|error| panic!("{error}: {words}"))
}

/// A command that must fail, and what it says about it.
fn refused(data_dir: &Path, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = countersign(data_dir, arguments).output().unwrap();
    assert!(!status.success(), "{arguments:?}: {}", text(&stdout));
    text(&stderr).to_owned()
}

/// A running server.
struct Serving {
    process: Child,
    stdout: BufReader<ChildStdout>,
    greeting: String,
}

impl Serving {
    /// Starts one and waits for the first `lines` of its greeting.
    fn start(data_dir: &Path, format: &str, lines: usize) -> Self {
        let mut command = countersign(data_dir, &["serve", "--format", format]);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut greeting = String::new();
        for _ in 0..lines {
            if stdout.read_line(&mut greeting).unwrap() == 0 {
                let mut complaint = String::new();
                process.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
                panic!("the server did not start: {complaint}");
            }
        }
        Self { process, stdout, greeting }
    }

    fn greeting(&self) -> Value {
        serde_json::from_str(&self.greeting).unwrap()
    }

    fn url(&self) -> String {
        self.greeting()["api"].as_str().unwrap().to_owned()
    }

    /// Asks it to stop and gives its exit status, the rest of what it printed, and its log.
    fn stop(mut self) -> (Option<i32>, String, String) {
        let told = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap();
        assert!(told.success());
        let (mut rest, mut log) = (String::new(), String::new());
        self.stdout.read_to_string(&mut rest).unwrap();
        self.process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.process.wait().unwrap().code(), rest, log)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Stopped already, or the test has failed: either way nothing is left to say.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn init_shows_a_sandbox_key_once_and_never_again() {
    let folder = TempDir::new().unwrap();
    let first = printed(folder.path(), &["init"]);
    assert!(first.contains("sk_test_"), "{first}");
    let second = printed(folder.path(), &["init"]);
    assert!(!second.contains("sk_"), "{second}");
    let serving = Serving::start(folder.path(), "json", 1);
    assert!(serving.greeting()["first_start"].is_null(), "{}", serving.greeting);
}

#[test]
fn a_first_start_shows_a_secret_and_a_later_one_does_not() {
    let folder = TempDir::new().unwrap();
    let first = Serving::start(folder.path(), "json", 1);
    let secret = first.greeting()["first_start"]["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("sk_test_"), "{secret}");
    let (code, rest, log) = first.stop();
    assert_eq!((code, rest.as_str()), (Some(0), ""), "{log}");
    assert!(!log.contains(&secret), "{log}");

    let second = Serving::start(folder.path(), "text", 1);
    assert!(!second.greeting.contains("sk_"), "{}", second.greeting);
    assert_eq!(second.stop().0, Some(0));
}

#[test]
fn the_lines_of_the_first_start_work_when_pasted() {
    let folder = TempDir::new().unwrap();
    let serving = Serving::start(folder.path(), "text", 11);
    let lines: Vec<&str> = serving.greeting.lines().filter(|line| line.contains("curl")).collect();
    assert_eq!(lines.len(), 2, "{}", serving.greeting);
    for shell in ["sh", "bash"] {
        let mut pasted = Command::new(shell);
        pasted.arg("-c").arg(lines.join("\n")).env("NO_PROXY", "*").stdin(Stdio::null());
        let done = pasted.output().unwrap();
        let said = text(&done.stdout);
        assert!(said.contains("\"session_token\"") && said.contains("\"sandbox_otps\""), "{said}{}", text(&done.stderr));
        assert!(said.contains("\"verified\":true"), "{said}{}", text(&done.stderr));
    }
}

#[test]
fn a_key_made_beside_a_running_server_opens_it_and_a_revoked_one_does_not() {
    let folder = TempDir::new().unwrap();
    let serving = Serving::start(folder.path(), "json", 1);
    let made = json(folder.path(), &["key", "create", "--mode", "test", "--name", "demo", "--format", "json"]);
    assert!(
        made["id"].as_str().unwrap().starts_with("key_") && made["access_key"].as_str().unwrap().starts_with("ak_"),
        "{made}"
    );
    let (secret, url) = (made["secret"].as_str().unwrap(), serving.url());
    // Each time to somebody else, so that no limit of sends is met.
    let mut persons = 0..;
    let mut send = || {
        let recipient = format!("email=person{}@example.com", persons.next().unwrap());
        json_or_refusal(folder.path(), &["send", "--url", &url, "--api-key", secret, "--format", "json", &recipient])
    };

    let reply = until(|| send().ok());
    let (token, code) = (reply["session_token"].as_str().unwrap(), reply["sandbox_otps"]["email"].as_str().unwrap());
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let verify =
        |code: &str| countersign(folder.path(), &["verify", "--url", &url, "--api-key", secret, token, code]).output().unwrap();
    let mistaken = verify(wrong);
    assert!(!mistaken.status.success());
    assert!(text(&mistaken.stdout).contains("attempts remaining: 2"), "{}", text(&mistaken.stdout));
    assert!(verify(code).status.success());

    printed(folder.path(), &["key", "revoke", made["id"].as_str().unwrap()]);
    let refusal = until(|| send().err());
    assert!(refusal.contains("401"), "{refusal}");
}

fn json_or_refusal(data_dir: &Path, arguments: &[&str]) -> Result<Value, String> {
    let done = countersign(data_dir, arguments).output().unwrap();
    if done.status.success() { Ok(serde_json::from_slice(&done.stdout).unwrap()) } else { Err(text(&done.stderr).to_owned()) }
}

/// Asks again until there is an answer: the server hears of new and revoked keys within a second.
fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(120);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(std::time::Instant::now() < patience, "no answer in time");
    }
}

#[test]
fn a_first_start_that_fails_leaves_the_key_to_the_next_one() {
    let folder = TempDir::new().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = countersign(folder.path(), &["serve"]);
    let failed = command.env("COUNTERSIGN_HTTP__LISTEN", taken.local_addr().unwrap().to_string()).output().unwrap();
    assert!(!failed.status.success());
    assert!(text(&failed.stderr).contains("http.listen"), "{}", text(&failed.stderr));
    let next = Serving::start(folder.path(), "json", 1);
    assert!(next.greeting()["first_start"]["secret"].is_string(), "{}", next.greeting);
}

#[test]
fn two_servers_never_share_a_data_directory() {
    let folder = TempDir::new().unwrap();
    let _first = Serving::start(folder.path(), "json", 1);
    let said = refused(folder.path(), &["serve"]);
    assert!(said.contains("another `countersign serve`") && said.contains("--data-dir"), "{said}");
}

#[test]
fn a_key_file_that_everybody_can_read_stops_the_start() {
    use std::os::unix::fs::PermissionsExt;

    let folder = TempDir::new().unwrap();
    printed(folder.path(), &["init"]);
    let keys = folder.path().join("keys.json");
    std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(refused(folder.path(), &["serve"]).contains("chmod 600"));
    let doctor = countersign(folder.path(), &["doctor", "--format", "json"]).output().unwrap();
    assert!(!doctor.status.success());
    let report: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    let finding = report["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == "key file").unwrap();
    assert_eq!(finding["status"], "fail", "{finding}");
    assert!(finding["advice"].as_str().unwrap().contains("chmod 600"), "{finding}");
}

#[test]
fn doctor_fails_on_a_provider_that_cannot_be_reached_and_says_what_to_do() {
    let folder = TempDir::new().unwrap();
    printed(folder.path(), &["init"]);
    // Nobody listens at the caller's end of a line, and nobody is given that port while the line is there.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let line = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let closed = line.local_addr().unwrap().port();
    let file = format!(
        "[providers.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = {closed}\ntls = \"none\"\nfrom = \"a@example.com\"\n\
         [channels.email]\nproviders = [\"mail\"]\n[session]\nlife_minutes = 30"
    );
    std::fs::write(folder.path().join("countersign.toml"), file).unwrap();
    let doctor = countersign(folder.path(), &["doctor"]).output().unwrap();
    let said = text(&doctor.stdout);
    assert!(!doctor.status.success(), "{said}");
    assert!(said.lines().any(|line| line.starts_with("fail  provider mail") && line.contains("check host, port")), "{said}");
    assert!(said.lines().any(|line| line.starts_with("warn") && line.contains("ASVS 6.5.5")), "{said}");
}

#[test]
fn what_the_configuration_prints_is_a_configuration() {
    let folder = TempDir::new().unwrap();
    printed(folder.path(), &["init"]);
    let first = printed(folder.path(), &["config", "print"]);
    assert!(first.contains("http.listen = \"127.0.0.1:0\"") && first.contains("# environment"), "{first}");
    std::fs::write(folder.path().join("countersign.toml"), &first).unwrap();
    assert!(printed(folder.path(), &["config", "check"]).starts_with("ok"));
}

#[test]
fn what_each_call_decides_is_printed_as_a_comment() {
    let folder = TempDir::new().unwrap();
    let said = printed(folder.path(), &["config", "print"]);
    assert!(
        said.lines().any(|line| line.starts_with("# session.life_minutes ") && line.ends_with("# each call decides")),
        "{said}"
    );
    assert!(said.lines().any(|line| line.starts_with("session.resend_after_seconds = 30 ")), "{said}");
    let settings = json(folder.path(), &["config", "print", "--format", "json"]);
    let open = settings["settings"].as_array().unwrap().iter().find(|set| set["key"] == "session.life_minutes").unwrap();
    assert!(open["value"].is_null() && open["origin"] == "call", "{open}");
}

#[test]
fn only_what_sends_needs_the_secrets_of_providers() {
    let folder = TempDir::new().unwrap();
    printed(folder.path(), &["init"]);
    let file = "[providers.mail]\nkind = \"smtp\"\nhost = \"localhost\"\nfrom = \"a@example.com\"\nusername = \"u\"\n\
                password_file = \"/nowhere/password\"\n[channels.email]\nproviders = [\"mail\"]\n";
    std::fs::write(folder.path().join("countersign.toml"), file).unwrap();

    let made = json(folder.path(), &["key", "create", "--mode", "live", "--format", "json"]);
    printed(folder.path(), &["key", "revoke", made["id"].as_str().unwrap()]);
    printed(folder.path(), &["service", "create", "--name", "shop"]);
    assert!(printed(folder.path(), &["template", "preview", "--channel", "sms"]).contains("123456"));

    let told = "providers.mail.password_file: cannot read /nowhere/password: there is no such file";
    let send = ["provider", "test", "--provider", "mail", "--to", "ann@example.com"];
    for command in [&["serve"][..], &["config", "check"], &send] {
        let said = refused(folder.path(), command);
        assert!(said.contains(told), "{command:?}: {said}");
    }
}

#[test]
fn a_command_that_sends_nothing_refuses_a_value_out_of_range_all_the_same() {
    let folder = TempDir::new().unwrap();
    printed(folder.path(), &["init"]);
    std::fs::write(folder.path().join("countersign.toml"), "[channels.sms]\nmax_segments = 0\n").unwrap();
    let said = refused(folder.path(), &["key", "list"]);
    assert!(said.contains("channels.sms.max_segments: must be 1 to 10"), "{said}");
}

#[test]
fn a_mistake_in_the_environment_is_named_by_its_key() {
    let folder = TempDir::new().unwrap();
    let mut command = countersign(folder.path(), &["config", "check"]);
    let done = command.env("COUNTERSIGN_SESSION__CODE_LENGHT", "6").output().unwrap();
    assert!(!done.status.success());
    assert!(
        text(&done.stderr).contains("session.code_lenght: does not exist; did you mean code_length?"),
        "{}",
        text(&done.stderr)
    );
}

#[test]
fn the_interface_description_and_completions_are_printed_without_an_installation() {
    let folder = TempDir::new().unwrap();
    let empty = folder.path().join("nothing");
    assert!(json(&empty, &["openapi"])["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(printed(&empty, &["completions", "zsh"]).contains("#compdef countersign"));
    assert!(!empty.exists());
    assert!(refused(&empty, &["key", "list"]).contains("countersign init"));
}
