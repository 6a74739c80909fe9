//! A live send through a mail server that nobody here wrote: Python's aiosmtpd.

use std::path::PathBuf;
use std::process::Stdio;

use countersign_tests::{Mail, TestApp, email, within_patience};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// Serves SMTP on a free port, prints it, and then each mail as one line: sender, recipients and content in hex.
const SERVER: &str = r#"
import asyncio, json, sys
try:
    from aiosmtpd.smtp import SMTP
except ImportError:
    sys.exit("aiosmtpd is not installed")

class Keep:
    async def handle_DATA(self, server, session, envelope):
        print(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos, "data": envelope.content.hex()}), flush=True)
        return "250 2.0.0 kept"

async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Keep(), enable_SMTPUTF8=True), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"#;

/// An interpreter that has the foreign servers' packages: the one that is named, else the one that `make test` installs, else the machine's.
pub(crate) fn python() -> PathBuf {
    if let Some(named) = std::env::var_os("COUNTERSIGN_TEST_PYTHON") {
        return named.into();
    }
    let installed =
        countersign_tests::binary().ancestors().map(|folder| folder.join("tools/python/bin/python3")).find(|file| file.exists());
    installed.unwrap_or_else(|| "python3".into())
}

#[tokio::test]
async fn a_mail_through_a_foreign_server_arrives_whole_and_its_code_verifies() {
    let python = python();
    let started =
        Command::new(&python).args(["-c", SERVER]).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn();
    let mut server =
        started.unwrap_or_else(|error| panic!("{} cannot be run ({error}): set COUNTERSIGN_TEST_PYTHON", python.display()));
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let Some(port) = within_patience("aiosmtpd", lines.next_line()).await.unwrap() else {
        panic!(
            "{} has no aiosmtpd: run make test, or set COUNTERSIGN_TEST_PYTHON to an interpreter that has it",
            python.display()
        );
    };
    let port: u16 = port.parse().unwrap();
    let foreign = |setup: countersign_tests::Setup| setup.mail_server("mail", port).set("channels.email.providers", vec!["mail"]);
    let app = TestApp::builder().with(foreign).spawn().await;

    let sent = app.live().send(email("ann@example.com")).await;
    sent.reply.json("$.channels_sent.email.success", true);
    let line = within_patience("mail", lines.next_line()).await.unwrap().unwrap();
    let kept: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(kept["to"], serde_json::json!(["ann@example.com"]));
    let data = data_encoding::HEXLOWER.decode(kept["data"].as_str().unwrap().as_bytes()).unwrap();
    let mail = Mail { from: kept["from"].as_str().unwrap().to_owned(), to: vec!["ann@example.com".to_owned()], data };
    assert_eq!(mail.from, "no-reply@acme.example");
    assert!(mail.parsed().body_html(0).unwrap().contains(&mail.code()));
    app.live().verify(&sent, &mail.code()).await.assert(200).json("$.verified", true);
    server.kill().await.unwrap();
}
