//! `countersign verify`: asks a running server whether a code is right.

use std::fmt;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::client::{Target, text};
use super::{CliError, Context, Output};

/// `countersign verify`
#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    #[command(flatten)]
    target: Target,
    /// The session token that `send` printed
    token: String,
    /// The code that the person typed: 482913, or with its channel email=482913
    #[arg(required = true, value_name = "CODE")]
    codes: Vec<String>,
}

impl Verify {
    /// Verifies and prints the verdict. A wrong code makes the command fail.
    pub(super) async fn run(&self, context: &Context, output: Output) -> Result<ExitCode, CliError> {
        let reply = self.target.post(context, "/api/v1/otp/verify", &self.body()?).await?;
        let verified = reply["verified"] == json!(true);
        output.print(&Verdict(reply))?;
        Ok(if verified { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn body(&self) -> Result<Value, CliError> {
        if let [code] = self.codes.as_slice()
            && !code.contains('=')
        {
            return Ok(json!({ "session_token": self.token, "code": code }));
        }
        let guesses: Option<Map<String, Value>> =
            self.codes.iter().map(|code| code.split_once('=').map(|(channel, code)| (channel.to_owned(), json!(code)))).collect();
        match guesses {
            Some(otps) => Ok(json!({ "session_token": self.token, "otps": otps })),
            None => Err(CliError::Usage("several codes need their channels: email=482913 sms=120984".to_owned())),
        }
    }
}

/// The server's reply.
#[derive(Serialize)]
#[serde(transparent)]
struct Verdict(Value);

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reply = &self.0;
        write!(f, "{}", text(reply, "message"))?;
        match (reply["verified"].as_bool(), reply["verification_proof"].as_str()) {
            (Some(true), Some(proof)) => write!(f, "\nproof    {proof}"),
            (Some(true), None) => Ok(()),
            (Some(false) | None, _) => write!(f, ", attempts remaining: {}", reply["attempts_remaining"]),
        }
    }
}
