//! Text messages, `WhatsApp` messages and calls through Twilio.

mod code;
mod config;
mod receipt;
mod signature;
mod twiml;
mod voices;
mod wire;

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;
use std::sync::Arc;

use async_trait::async_trait;
use countersign_model::{Channel, Clock, Code, PhoneNumber, ProviderName};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, Url};
use secrecy::ExposeSecret as _;

pub(crate) use self::config::Config;
use self::config::{Origin, Settings, Voice, WhatsappSettings};
use self::receipt::{ASKS, Ear, REFERENCE, SAY};
use self::twiml::MAX_DOCUMENT;
use self::voices::Reader;
use self::wire::Form;
use crate::config::ConfigError;
use crate::provider::{CheckError, Diagnostic, Provider, Rendered, Tells, TryOutcome};
use crate::receipts::Receipts;
use crate::registry::ProviderContext;
use crate::seal::Seal;
use crate::{http, section, tongue};

/// For how long Twilio can be told to keep a message in its queue, in seconds.
const VALIDITY: RangeInclusive<u64> = 1..=36_000;

pub(crate) fn build(config: &Config, context: ProviderContext) -> Result<Arc<dyn Provider>, ConfigError> {
    let settings = config.settle(&context.key, context.receipts_url.is_some())?;
    let client = context.client()?;
    let line = settings
        .token
        .clone()
        .zip(context.receipts_url)
        .map(|(token, url)| Line { url, ear: Ear { seal: Seal::new(&token, Arc::clone(&context.rng)), token } });
    Ok(Arc::new(Twilio { name: context.name, settings, client, line, clock: context.clock }))
}

struct Twilio {
    name: ProviderName,
    settings: Settings,
    client: Client,
    /// None: Twilio is not asked to post anything.
    line: Option<Line>,
    clock: Arc<dyn Clock>,
}

/// The way back.
struct Line {
    url: String,
    ear: Ear,
}

#[async_trait]
impl Provider for Twilio {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn serves(&self, channel: Channel) -> bool {
        match channel {
            Channel::Email => false,
            Channel::Sms => self.settings.sms.is_some(),
            Channel::Whatsapp => self.settings.whatsapp.is_some(),
            Channel::Voice => self.settings.voice.is_some(),
        }
    }

    fn is_instant(&self) -> bool {
        false
    }

    async fn send(&self, message: &Rendered) -> TryOutcome {
        let (resource, form) = match self.compose(message) {
            Ok(composed) => composed,
            Err(note) => return TryOutcome::Misconfigured(Diagnostic::Note(note)),
        };
        let request = self.sign_in(self.client.post(self.resource(resource)));
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.encode());
        match http::exchange(request).await {
            Ok(reply) => wire::outcome(&reply),
            Err(outcome) => outcome,
        }
    }

    /// Lists the account's numbers, at most one: every kind of key may do that.
    async fn check(&self) -> Result<(), CheckError> {
        let url = self.resource("IncomingPhoneNumbers.json");
        let request = self.sign_in(self.client.get(format!("{url}?PageSize=1")));
        let reply = http::ask(request, &url).await?;
        let address = http::address(&url);
        match reply.status {
            200..300 => Ok(()),
            401 | 403 | 404 => Err(CheckError::Credentials { address }),
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

impl Twilio {
    fn resource(&self, name: &str) -> Url {
        section::under(&self.settings.endpoint, &format!("/2010-04-01/Accounts/{}/{name}", self.settings.account))
    }

    fn sign_in(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(&self.settings.user, Some(self.settings.password.expose_secret()))
    }

    /// What is posted, and to which resource; or what is missing for it.
    fn compose(&self, message: &Rendered) -> Result<(&'static str, Form), &'static str> {
        let missing = "the channel has no table in the section";
        let mut form = Form::default();
        let resource = match message.channel {
            Channel::Email => return Err(missing),
            Channel::Sms => {
                text(&mut form, message, self.settings.sms.as_ref().ok_or(missing)?);
                "Messages.json"
            }
            Channel::Whatsapp => {
                whatsapp(&mut form, message, self.settings.whatsapp.as_ref().ok_or(missing)?);
                "Messages.json"
            }
            Channel::Voice => {
                self.call(&mut form, message, self.settings.voice.as_ref().ok_or(missing)?)?;
                return Ok(("Calls.json", form));
            }
        };
        if let Some(seconds) = message.seconds_left(self.clock.now(), VALIDITY) {
            form.set("ValidityPeriod", seconds.to_string());
        }
        if let Some(line) = &self.line {
            form.set("StatusCallback", format!("{}?{REFERENCE}={}", line.url, message.reference()));
        }
        Ok((resource, form))
    }

    fn call(&self, form: &mut Form, message: &Rendered, settings: &Voice) -> Result<(), &'static str> {
        let own = settings.voices.iter().map(|(tag, it)| (tag.as_str(), Reader { voice: &it.voice, language: &it.language }));
        let reader = tongue::nearest(own, &message.locale).or_else(|| tongue::nearest(voices::built_in(), &message.locale));
        let reader = reader.ok_or("no voice for this language")?;
        let verbs = match &message.voice {
            Some(script) => twiml::script(reader, script),
            None => twiml::words(reader, message.text()),
        };
        let reference = message.reference();
        let asked = match (&message.voice, &self.line, message.expires_at) {
            (Some(script), Some(line), Some(end)) if settings.press_key => {
                let sealed = line.ear.seal.close(&verbs, reference, end).ok_or("the call cannot be sealed")?;
                Some(twiml::asking(reader, &script.press, &format!("{}?{REFERENCE}={reference}&{SAY}={sealed}", line.url)))
            }
            _ => None,
        };
        let asks = asked.is_some();
        let document = asked.unwrap_or_else(|| twiml::document(&verbs));
        if document.chars().count() > MAX_DOCUMENT {
            return Err("the words are too long for a call");
        }
        form.set("To", message.recipient.address());
        form.set("From", message.sender.as_ref().filter(|sender| is_number(sender)).unwrap_or(&settings.from));
        form.set("Twiml", document);
        form.set("Timeout", settings.ring_seconds.to_string());
        if settings.machine_detection {
            form.set("MachineDetection", "Enable");
        }
        if let Some(line) = &self.line {
            let asks = if asks { format!("&{ASKS}=key") } else { String::new() };
            form.set("StatusCallback", format!("{}?{REFERENCE}={reference}{asks}", line.url));
            form.set("StatusCallbackEvent", "completed");
        }
        Ok(())
    }
}

fn text(form: &mut Form, message: &Rendered, origin: &Origin) {
    form.set("To", message.recipient.address());
    match (&message.sender, origin) {
        (Some(sender), _) | (None, Origin::From(sender)) => form.set("From", sender),
        (None, Origin::Service(service)) => form.set("MessagingServiceSid", service),
    }
    form.set("Body", message.text());
}

fn whatsapp(form: &mut Form, message: &Rendered, settings: &WhatsappSettings) {
    form.set("To", format!("whatsapp:{}", message.recipient.address()));
    match (message.sender.as_ref().filter(|sender| is_number(sender)), &settings.origin) {
        (Some(sender), _) | (None, Origin::From(sender)) => form.set("From", format!("whatsapp:{sender}")),
        (None, Origin::Service(service)) => form.set("MessagingServiceSid", service),
    }
    match message.code.as_ref().zip(template(settings, &message.locale)) {
        Some((code, template)) => {
            form.set("ContentSid", template);
            form.set("ContentVariables", wire::variables(Code::expose(code)));
        }
        None => form.set("Body", message.text()),
    }
}

fn template<'a>(settings: &'a WhatsappSettings, locale: &str) -> Option<&'a String> {
    let by_language = settings.templates.iter().map(|(tag, template)| (tag.as_str(), template));
    tongue::nearest(by_language, locale).or(settings.template.as_ref())
}

/// Where only numbers can be seen as senders, a name is passed over.
fn is_number(sender: &str) -> bool {
    PhoneNumber::parse(sender).is_ok()
}
