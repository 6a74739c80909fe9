//! The configuration of a server under test, as an operator would write it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::{Expected, MailSink, ProviderDouble};

/// A `countersign.toml` in the making. What is not set, here or by the test, stays at the product's own value.
#[derive(Debug, Clone)]
pub struct Setup {
    sections: BTreeMap<String, BTreeMap<String, String>>,
    services: Vec<BTreeMap<String, String>>,
    /// Of a channel each.
    routes: Vec<(String, BTreeMap<String, String>)>,
}

impl Default for Setup {
    fn default() -> Self {
        let setup = Self { sections: BTreeMap::new(), services: Vec::new(), routes: Vec::new() };
        setup
            .set("http.listen", "127.0.0.1:0")
            .set("admin.listen", "127.0.0.1:0")
            .set("http.workers", 2)
            .set("session.app_name", "Acme")
            // A double that answers late because the machine is busy is no provider that fails.
            .set("delivery.try_timeout_seconds", 20)
            .set("delivery.deadline_seconds", 30)
    }
}

impl Setup {
    /// Sets a key such as `limits.calls_per_key`. JSON's texts, numbers, truth values and lists of them are TOML too.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        let (section, key) = key.rsplit_once('.').unwrap_or(("", key));
        self.sections.entry(section.to_owned()).or_default().insert(key.to_owned(), value.into().to_string());
        self
    }

    /// Sets a key that is not set yet.
    #[must_use]
    pub fn or_set(self, key: &str, value: impl Into<Value>) -> Self {
        let (section, name) = key.rsplit_once('.').unwrap_or(("", key));
        let is_set = self.sections.get(section).is_some_and(|keys| keys.contains_key(name));
        if is_set { self } else { self.set(key, value) }
    }

    /// No limit of calls or sends is met by accident.
    #[must_use]
    pub fn generous(self) -> Self {
        let setup = self.set("limits.sends_per_user", "100000/5m").set("limits.calls_per_key", "1000000/1m");
        setup.set("limits.failed_authentication", "1000000/1m")
    }

    /// No step in Redis is given up because the machine is busy.
    #[must_use]
    pub fn patient(self) -> Self {
        self.set("redis.try_ms", 10_000).set("redis.deadline_ms", 15_000)
    }

    /// What Redis does not answer is given up by the product's own times.
    #[must_use]
    pub fn brisk(self) -> Self {
        self.set("redis.try_ms", 500).set("redis.deadline_ms", 2_000)
    }

    /// Adds a named profile.
    #[must_use]
    pub fn service(mut self, id: &str, keys: &[(&str, Value)]) -> Self {
        let mut service: BTreeMap<String, String> =
            keys.iter().map(|(key, value)| ((*key).to_owned(), value.to_string())).collect();
        service.insert("id".to_owned(), Value::from(id).to_string());
        self.services.push(service);
        self
    }

    /// Adds a list of providers for those messages of a channel that fit.
    #[must_use]
    pub fn route(mut self, channel: &str, fits: &[(&str, Vec<&str>)], providers: &[&str]) -> Self {
        let mut route: BTreeMap<String, String> =
            fits.iter().map(|(key, values)| ((*key).to_owned(), Value::from(values.clone()).to_string())).collect();
        route.insert("providers".to_owned(), Value::from(providers.to_vec()).to_string());
        self.routes.push((channel.to_owned(), route));
        self
    }

    /// Mail goes to `sink`.
    #[must_use]
    pub fn live_email(self, sink: &MailSink) -> Self {
        self.mail_server("mail", sink.port()).set("channels.email.providers", vec!["mail"])
    }

    /// A mail server at the loopback, by name. No channel uses it yet.
    #[must_use]
    pub fn mail_server(self, name: &str, port: u16) -> Self {
        let key = |key: &str| format!("providers.{name}.{key}");
        self.set(&key("kind"), "smtp")
            .set(&key("host"), "127.0.0.1")
            .set(&key("port"), port)
            .set(&key("tls"), "none")
            .set(&key("hello"), "countersign.example.com")
            .set(&key("from"), "Acme <no-reply@acme.example>")
    }

    /// Text messages go to `double` as JSON.
    #[must_use]
    pub fn sms(self, double: &ProviderDouble) -> Self {
        self.gateway("gateway", double, &["sms"]).set("channels.sms.providers", vec!["gateway"])
    }

    /// A gateway that wants JSON, by name, as [`Expected::json`] expects it. No channel uses it yet.
    #[must_use]
    pub fn gateway(self, name: &str, double: &ProviderDouble, channels: &[&str]) -> Self {
        let key = |key: &str| format!("providers.{name}.{key}");
        let body = r#"{"to": {{ to|tojson }}, "text": {{ text|tojson }}, "id": {{ message_id|tojson }}, "channel": {{ channel|tojson }}}"#;
        self.set(&key("kind"), "http")
            .set(&key("channels"), channels.to_vec())
            .set(&key("url"), format!("{}{}", double.base(), Expected::PATH))
            .set(&key("json"), body)
            .set(&format!("providers.{name}.headers.Authorization"), Expected::AUTHORIZATION)
            .set(&format!("providers.{name}.accept.id"), "/id")
    }

    /// The file's text.
    pub fn toml(&self) -> String {
        let mut text = String::new();
        for (section, keys) in &self.sections {
            if !section.is_empty() {
                let _ = writeln!(text, "[{section}]");
            }
            for (key, value) in keys {
                let _ = writeln!(text, "{key} = {value}");
            }
        }
        let services = self.services.iter().map(|service| ("services".to_owned(), service));
        let routes = self.routes.iter().map(|(channel, route)| (format!("channels.{channel}.routes"), route));
        for (name, keys) in services.chain(routes) {
            let _ = writeln!(text, "[[{name}]]");
            for (key, value) in keys {
                let _ = writeln!(text, "{key} = {value}");
            }
        }
        text
    }

    /// Writes it where the server will look.
    pub fn write(&self, data_dir: &Path) {
        std::fs::write(data_dir.join("countersign.toml"), self.toml()).unwrap();
    }
}
