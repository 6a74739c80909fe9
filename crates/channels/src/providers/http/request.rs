//! The body of a request, filled from the operator's templates.

use std::collections::{BTreeMap, HashSet};

use countersign_model::{Channel, Code, Errand, MessageId, Mode, Recipient};
use minijinja::{Environment, UndefinedBehavior, Value, context};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{ConfigError, ConfigProblem};
use crate::provider::{Content, Rendered};

/// Compiled templates of a JSON document or of a form's fields.
pub(super) struct Body {
    templates: Environment<'static>,
    shape: Shape,
    /// The values that it has a place for.
    named: HashSet<String>,
    /// Where receipts are to be posted to; none: no template may ask for it. May hold a secret.
    receipts_url: Option<SecretString>,
}

enum Shape {
    /// One template, under this name.
    Json,
    /// A template per field, under the field's name.
    Form(Vec<String>),
}

/// The name under which the one template of a JSON body is kept. Without an extension, so that nothing is escaped by itself.
const DOCUMENT: &str = "json";

impl Body {
    /// Compiles the template and tries it on every channel with a text full of quotes and line ends.
    pub(super) fn json(
        key: &str,
        source: &str,
        channels: &[Channel],
        receipts_url: Option<SecretString>,
    ) -> Result<Self, ConfigError> {
        let mut templates = environment();
        let named = compile(&mut templates, key, DOCUMENT, source, receipts_url.is_some())?;
        let body = Self { templates, shape: Shape::Json, named, receipts_url };
        for sample in samples(channels) {
            let filled = body.rehearse(key, DOCUMENT, &sample)?;
            if serde_json::from_str::<serde_json::Value>(&filled).is_err() {
                return Err(ConfigError::new(key, ConfigProblem::NotJson));
            }
        }
        Ok(body)
    }

    /// Compiles and tries a template a field.
    pub(super) fn form(
        key: &str,
        fields: &BTreeMap<String, SecretString>,
        channels: &[Channel],
        receipts_url: Option<SecretString>,
    ) -> Result<Self, ConfigError> {
        if fields.is_empty() {
            return Err(ConfigError::new(key, ConfigProblem::Empty));
        }
        let mut templates = environment();
        let mut named = HashSet::new();
        for (field, source) in fields {
            let key = format!("{key}.{field}");
            named.extend(compile(&mut templates, &key, field, source.expose_secret(), receipts_url.is_some())?);
        }
        let body = Self { templates, shape: Shape::Form(fields.keys().cloned().collect()), named, receipts_url };
        for sample in samples(channels) {
            for field in fields.keys() {
                body.rehearse(&format!("{key}.{field}"), field, &sample)?;
            }
        }
        Ok(body)
    }

    pub(super) const fn media_type(&self) -> &'static str {
        match self.shape {
            Shape::Json => "application/json",
            Shape::Form(_) => "application/x-www-form-urlencoded",
        }
    }

    /// Whether it can carry the message: a text without a code needs a place for its words.
    pub(super) fn carries(&self, message: &Rendered) -> bool {
        self.names("text") || message.code.is_some()
    }

    /// Whether it has a place for this value.
    pub(super) fn names(&self, value: &str) -> bool {
        self.named.contains(value)
    }

    /// The body for one message. Cannot fail for a template that passed its rehearsal, unless it branches on a value or
    /// has a place for a code that the message does not have.
    pub(super) fn fill(&self, message: &Rendered) -> Result<String, minijinja::Error> {
        let values = self.values(message);
        match &self.shape {
            Shape::Json => self.render(DOCUMENT, &values),
            Shape::Form(fields) => {
                let filled: Result<Vec<_>, _> =
                    fields.iter().map(|field| self.render(field, &values).map(|value| (field, value))).collect();
                Ok(encode(&filled?))
            }
        }
    }

    /// The values of [`KNOWN`]. A sender that nobody chose is empty; a code that is not there is no value at all.
    fn values(&self, message: &Rendered) -> Value {
        let to = message.recipient.address();
        context! {
            code => value_of(message.code.as_ref().map(|code| code.expose().to_owned())),
            text => message.text(),
            to,
            to_digits => to.trim_start_matches('+'),
            sender => message.sender.as_deref().unwrap_or_default(),
            app => message.app.as_str(),
            message_id => message.id.to_string(),
            reference => message.reference().to_string(),
            channel => message.channel.as_str(),
            locale => message.locale.as_ref(),
            minutes => message.minutes,
            spoken => value_of(message.spoken()),
            receipts_url => value_of(self.receipts_url.as_ref().map(|url| url.expose_secret().to_owned())),
        }
    }

    fn render(&self, name: &str, values: &Value) -> Result<String, minijinja::Error> {
        self.templates.get_template(name)?.render(values.clone())
    }

    fn rehearse(&self, key: &str, name: &str, message: &Rendered) -> Result<String, ConfigError> {
        self.render(name, &self.values(message))
            .map_err(|error| ConfigError::new(key, ConfigProblem::Template(error.to_string())))
    }
}

fn environment() -> Environment<'static> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    templates
}

/// Compiles a template, and tells what it names.
fn compile(
    templates: &mut Environment<'static>,
    key: &str,
    name: &str,
    source: &str,
    has_receipts_url: bool,
) -> Result<HashSet<String>, ConfigError> {
    let wrong = |error: minijinja::Error| ConfigError::new(key, ConfigProblem::Template(error.to_string()));
    templates.add_template_owned(name.to_owned(), source.to_owned()).map_err(wrong)?;
    // A filter takes an undefined value without a word, so names are looked at one by one.
    let named = templates.get_template(name).map_err(wrong)?.undeclared_variables(false);
    let known = if has_receipts_url { &KNOWN[..] } else { &KNOWN[..KNOWN.len() - 1] };
    let is_known = |name: &String| known.contains(&name.as_str()) || templates.globals().any(|(global, _)| global == name);
    match named.iter().find(|name| !is_known(name)) {
        None => Ok(named),
        Some(name) => Err(ConfigError::new(key, ConfigProblem::Variable { name: name.clone(), known: known.join(", ") })),
    }
}

/// All that a template may name; the last one only where it is known.
const KNOWN: [&str; 13] = [
    "code",
    "text",
    "to",
    "to_digits",
    "sender",
    "app",
    "message_id",
    "reference",
    "channel",
    "locale",
    "minutes",
    "spoken",
    "receipts_url",
];

fn value_of(text: Option<String>) -> Value {
    text.map_or(Value::UNDEFINED, Value::from)
}

/// `application/x-www-form-urlencoded`, as browsers write it.
fn encode(fields: &[(&String, String)]) -> String {
    let Ok(mut carrier) = Url::parse("http://form/") else { return String::new() };
    carrier.query_pairs_mut().extend_pairs(fields);
    carrier.query().unwrap_or_default().to_owned()
}

/// Messages that make a careless template show itself.
fn samples(channels: &[Channel]) -> impl Iterator<Item = Rendered> {
    let parts = Code::parse("123456").ok().zip(Recipient::parse(Channel::Sms, "+12025550143").ok());
    channels.iter().filter_map(move |&channel| {
        let (code, recipient) = parts.clone()?;
        Some(Rendered {
            id: MessageId::from_bits(0),
            errand: Errand::of_nobody(),
            mode: Mode::Live,
            channel,
            recipient,
            sender: None,
            code: Some(code),
            app: "\"A\" & <B>\\".to_owned(),
            locale: "en".into(),
            minutes: 10,
            expires_at: None,
            voice: None,
            content: Content::Phone { text: "\"quoted\" \\ and\n\n@two.lines #123456".to_owned() },
            rehearsal: None,
        })
    })
}
