//! Text messages and calls through Vonage.

mod code;
mod config;
mod ncco;
mod receipt;
mod signature;
mod token;
mod voices;
mod wire;

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;
use std::sync::Arc;

use async_trait::async_trait;
use countersign_model::{Channel, Clock, PhoneNumber, ProviderName, Rng};
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use secrecy::ExposeSecret as _;
use serde_json::Value;

pub(crate) use self::config::Config;
use self::config::{Password, Settings, SmsSettings, VoiceSettings};
use self::receipt::{ASKS, Ear, REFERENCE, SAY};
use self::voices::Reader;
use crate::config::{ConfigError, ConfigProblem};
use crate::provider::{CheckError, Diagnostic, Provider, Rendered, Tells, TryOutcome};
use crate::receipts::Receipts;
use crate::registry::ProviderContext;
use crate::seal::Seal;
use crate::segments::{Encoding, Segments};
use crate::{http, section, tongue};

/// For how long Vonage can be told to try, in seconds.
const TTL: RangeInclusive<u64> = 20..=604_800;

/// Most characters of a text message's `callback`.
const MAX_CALLBACK: usize = 100;

pub(crate) fn build(config: &Config, context: ProviderContext) -> Result<Arc<dyn Provider>, ConfigError> {
    let Settings { rest, api, sms, voice, proofs } = config.settle(&context.key, context.receipts_url.is_some())?;
    let client = context.client()?;
    let line = context.receipts_url.filter(|_| proofs.are_there()).map(|url| {
        let url = match &proofs.path {
            Some(secret) => format!("{url}/{}", secret.expose_secret()),
            None => url,
        };
        let seal = voice.as_ref().map(|voice| Seal::new(&voice.key, Arc::clone(&context.rng)));
        Line { url, ear: Ear { proofs, seal } }
    });
    if let Some(line) = line.as_ref().filter(|_| sms.is_some()) {
        line.check_length(&context.key)?;
    }
    Ok(Arc::new(Vonage { name: context.name, rest, api, sms, voice, client, line, clock: context.clock, rng: context.rng }))
}

struct Vonage {
    name: ProviderName,
    rest: reqwest::Url,
    api: reqwest::Url,
    sms: Option<SmsSettings>,
    voice: Option<VoiceSettings>,
    client: Client,
    /// None: Vonage is not asked to post anything.
    line: Option<Line>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

/// The way back.
struct Line {
    url: String,
    ear: Ear,
}

impl Line {
    /// Whether a text message can name the address. A call names a longer one, for which Vonage tells no bound.
    fn check_length(&self, at: &str) -> Result<(), ConfigError> {
        let form = "so short that Vonage takes the address of receipts for text messages, `<public_url>/receipts/vonage/<name>` and \
                    `/<receipts_secret>` behind it: 100 characters in all";
        let key = match self.ear.proofs.path {
            Some(_) => format!("{at}.receipts_secret"),
            None => "public_url".to_owned(),
        };
        if self.url.len() <= MAX_CALLBACK { Ok(()) } else { Err(ConfigError::new(key, ConfigProblem::Form(form))) }
    }
}

#[async_trait]
impl Provider for Vonage {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn serves(&self, channel: Channel) -> bool {
        match channel {
            Channel::Sms => self.sms.is_some(),
            Channel::Voice => self.voice.is_some(),
            Channel::Email | Channel::Whatsapp => false,
        }
    }

    fn is_instant(&self) -> bool {
        false
    }

    async fn send(&self, message: &Rendered) -> TryOutcome {
        match (message.channel, &self.sms, &self.voice) {
            (Channel::Sms, Some(sms), _) => self.text(message, sms).await,
            (Channel::Voice, _, Some(voice)) => self.call(message, voice).await,
            _ => TryOutcome::Misconfigured(Diagnostic::Note("the channel has no table in the section")),
        }
    }

    /// Lists what the credentials may list: one call of the application, or else the names of the account's secrets.
    async fn check(&self) -> Result<(), CheckError> {
        let (url, request) = match (&self.voice, &self.sms) {
            (Some(voice), _) => {
                let url = section::under(&self.api, "/v1/calls");
                let token =
                    token::mint(&voice.application, &voice.pair, self.clock.now(), &*self.rng).ok_or(CheckError::Broken)?;
                let request = self.client.get(format!("{url}?page_size=1")).bearer_auth(token);
                (url, request)
            }
            (None, Some(SmsSettings { key, password: Password::Secret(secret), .. })) => {
                let url = section::under(&self.api, &format!("/accounts/{key}/secrets"));
                let request = self.client.get(url.clone()).basic_auth(key, Some(secret.expose_secret()));
                (url, request)
            }
            _ => return http::reach(&self.client, &self.rest).await,
        };
        let reply = http::ask(request, &url).await?;
        let address = http::address(&url);
        match reply.status {
            200..300 => Ok(()),
            401 | 403 => Err(CheckError::Credentials { address }),
            _ => Err(CheckError::Answer { address, diagnostic: reply.diagnostic() }),
        }
    }

    fn receipts(&self) -> Option<&dyn Receipts> {
        self.line.as_ref().map(|line| &line.ear as &dyn Receipts)
    }

    fn tells(&self) -> Tells {
        if self.line.is_some() { Tells::ByReference } else { Tells::Nothing }
    }

    async fn keep_up(&self) {}
}

impl Vonage {
    async fn text(&self, message: &Rendered, settings: &SmsSettings) -> TryOutcome {
        let body = wire::encode(&self.fields(message, settings));
        let request = self.client.post(section::under(&self.rest, "/sms/json"));
        match http::exchange(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)).await {
            Ok(reply) => wire::text_outcome(&reply),
            Err(outcome) => outcome,
        }
    }

    fn fields(&self, message: &Rendered, settings: &SmsSettings) -> Vec<(String, String)> {
        let kind = match Segments::of(message.text()).encoding {
            Encoding::Gsm7 => "text",
            Encoding::Ucs2 => "unicode",
        };
        let mut fields = Vec::new();
        let mut set = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
        set("api_key", &settings.key);
        set("from", wire::digits(message.sender.as_ref().unwrap_or(&settings.from)));
        set("to", wire::digits(message.recipient.address()));
        set("text", message.text());
        set("type", kind);
        if let Some(seconds) = message.seconds_left(self.clock.now(), TTL) {
            // Told in milliseconds.
            set("ttl", &(seconds * 1000).to_string());
        }
        set("client-ref", &message.reference().to_string());
        if let Some(line) = &self.line {
            set("status-report-req", "1");
            set("callback", &line.url);
        }
        match &settings.password {
            Password::Secret(secret) => set("api_secret", secret.expose_secret()),
            Password::Signature(secret, method) => {
                set("timestamp", &self.clock.now().seconds().to_string());
                let signature = signature::sign(*method, secret, &fields);
                fields.push((signature::SIG.to_owned(), signature));
            }
        }
        fields
    }

    async fn call(&self, message: &Rendered, settings: &VoiceSettings) -> TryOutcome {
        let body = match self.actions(message, settings) {
            Ok((actions, event_url)) => {
                let from = message.sender.as_ref().filter(|sender| PhoneNumber::parse(sender).is_ok()).unwrap_or(&settings.from);
                wire::call(message.recipient.address(), from, settings.ring_seconds, &actions, event_url.as_deref())
            }
            Err(note) => return TryOutcome::Misconfigured(Diagnostic::Note(note)),
        };
        let Some(token) = token::mint(&settings.application, &settings.pair, self.clock.now(), &*self.rng) else {
            return TryOutcome::Misconfigured(Diagnostic::Note("the application's key cannot sign"));
        };
        let request = self.client.post(section::under(&self.api, "/v1/calls")).bearer_auth(token);
        match http::exchange(request.header(CONTENT_TYPE, "application/json").body(body)).await {
            Ok(reply) => wire::call_outcome(&reply),
            Err(outcome) => outcome,
        }
    }

    /// What the call does and where its events go; or what is missing for it.
    fn actions(&self, message: &Rendered, settings: &VoiceSettings) -> Result<(Vec<Value>, Option<String>), &'static str> {
        let own = settings.voices.iter().map(|(tag, it)| (tag.as_str(), Reader { language: &it.language, style: it.style }));
        let reader = tongue::nearest(own, &message.locale).or_else(|| tongue::nearest(voices::built_in(), &message.locale));
        let reader = reader.ok_or("no voice for this language")?;
        let says = match &message.voice {
            Some(script) => ncco::script(reader, script),
            None => ncco::talk(reader, message.text()).map(|talk| vec![talk]),
        };
        let too_long = "the words are too long for a call";
        let says = says.ok_or(too_long)?;
        let Some(Line { url, ear }) = &self.line else { return Ok((says, None)) };
        let reference = message.reference();
        let back = format!("{url}?{REFERENCE}={reference}");
        match (&message.voice, &ear.seal, message.expires_at) {
            (Some(script), Some(seal), Some(end)) if settings.press_key => {
                let words = Value::Array(says).to_string();
                let sealed = seal.close(&words, reference, end).ok_or("the call cannot be sealed")?;
                let asks = ncco::asking(reader, &script.press, &format!("{back}&{SAY}={sealed}")).ok_or(too_long)?;
                Ok((asks, Some(format!("{back}&{ASKS}=key"))))
            }
            _ => Ok((says, Some(back))),
        }
    }
}
