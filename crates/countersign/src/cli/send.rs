//! `countersign send`: asks a running server to send codes.

use std::fmt;
use std::process::ExitCode;

use countersign_model::Channel;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::client::{Target, text};
use super::{CliError, Context, Output};

/// `countersign send`
#[derive(Debug, clap::Args)]
pub(super) struct Send {
    #[command(flatten)]
    target: Target,
    /// Whom to ask, and how: email=ann@example.com, sms=+12025550143, whatsapp=…, voice=…
    #[arg(required = true, value_name = "CHANNEL=ADDRESS", value_parser = parse_recipient)]
    recipients: Vec<(Channel, String)>,
    /// Every channel must be verified, not just one
    #[arg(long)]
    all: bool,
    /// A sandbox session under a live key: nothing leaves, the reply shows the codes
    #[arg(long)]
    sandbox: bool,
    /// The language of the message, such as en
    #[arg(long)]
    locale: Option<String>,
    /// The service under which to open the session
    #[arg(long, value_name = "UUID")]
    service: Option<String>,
}

fn parse_recipient(text: &str) -> Result<(Channel, String), String> {
    let (channel, address) = text.split_once('=').ok_or("write it as channel=address, such as email=ann@example.com")?;
    Ok((channel.parse().map_err(|error| format!("{error}"))?, address.to_owned()))
}

impl Send {
    /// Sends and prints the reply.
    pub(super) async fn run(&self, context: &Context, output: Output) -> Result<ExitCode, CliError> {
        let reply = self.target.post(context, "/api/v1/otp/send", &self.body()).await?;
        output.print(&Sent(reply))?;
        Ok(ExitCode::SUCCESS)
    }

    fn body(&self) -> Value {
        let channels: Vec<&str> = self.recipients.iter().map(|(channel, _)| channel.as_str()).collect();
        let recipients: Map<String, Value> =
            self.recipients.iter().map(|(channel, address)| (channel.to_string(), json!(address))).collect();
        let mut body = json!({ "channels": channels, "recipients": recipients });
        if self.all {
            body["verification_mode"] = json!("all");
        }
        if self.sandbox {
            body["sandbox_mode"] = json!(true);
        }
        if let Some(locale) = &self.locale {
            body["locale"] = json!(locale);
        }
        if let Some(service) = &self.service {
            body["service_id"] = json!(service);
        }
        body
    }
}

/// The server's reply.
#[derive(Serialize)]
#[serde(transparent)]
struct Sent(Value);

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reply = &self.0;
        writeln!(f, "session  {}", text(reply, "session_id"))?;
        writeln!(f, "expires  {}", text(reply, "expires_at"))?;
        for (channel, sent) in reply["channels_sent"].as_object().into_iter().flatten() {
            match sent["success"].as_bool() {
                Some(true) => writeln!(f, "{channel:8} sent, {}", text(sent, "message_id"))?,
                Some(false) | None => writeln!(f, "{channel:8} not sent: {}", text(sent, "error"))?,
            }
        }
        for (channel, code) in reply["sandbox_otps"].as_object().into_iter().flatten() {
            writeln!(f, "code     {channel} {}", code.as_str().unwrap_or_default())?;
        }
        write!(f, "token    {}", text(reply, "session_token"))
    }
}
