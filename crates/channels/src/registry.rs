//! The kinds of provider there are: one line each.

mod context;

use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

pub(crate) use self::context::ProviderContext;
use crate::config::ConfigError;
use crate::provider::Provider;

macro_rules! kinds {
    ($($(#[$doc:meta])* $word:literal $kind:ident => $module:ident),+ $(,)?) => {
        /// A provider's section, told apart by its `kind`.
        ///
        /// serde reads such a section through a buffer, so that its errors do not say which key is wrong. Whoever tells people of their
        /// mistakes takes `kind` out, reads it as a [`ProviderKind`], and the rest by [`ProviderKind::read`].
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(tag = "kind")]
        pub enum ProviderConfig {
            $(
                $(#[$doc])*
                #[cfg(feature = $word)]
                #[serde(rename = $word)]
                $kind(Box<crate::providers::$module::Config>),
            )+
        }

        impl ProviderConfig {
            /// The word after `kind =`.
            pub(crate) const fn kind(&self) -> &'static str {
                match *self {
                    $(#[cfg(feature = $word)] Self::$kind(_) => $word,)+
                }
            }
        }

        /// The word after `kind =`: one that this build has.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ProviderKind {
            $(
                $(#[$doc])*
                #[cfg(feature = $word)]
                $kind,
            )+
        }

        impl ProviderKind {
            const WORDS: &[&str] = &[$(#[cfg(feature = $word)] $word,)+];

            /// A section of this kind, from all its keys but `kind`. Errors have the whole path that the deserialiser keeps.
            pub fn read<'de, D: Deserializer<'de>>(self, keys: D) -> Result<ProviderConfig, D::Error> {
                match (self, keys) {
                    $(#[cfg(feature = $word)] (Self::$kind, keys) => Deserialize::deserialize(keys).map(ProviderConfig::$kind),)+
                }
            }
        }

        impl<'de> Deserialize<'de> for ProviderKind {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                match String::deserialize(deserializer)?.as_str() {
                    $(
                        #[cfg(feature = $word)]
                        $word => Ok(Self::$kind),
                        #[cfg(not(feature = $word))]
                        $word => Err(D::Error::custom(concat!("this build leaves ", $word, " out: build it with the cargo feature countersign-channels/", $word))),
                    )+
                    other => Err(D::Error::unknown_variant(other, Self::WORDS)),
                }
            }
        }

        /// Makes the provider of a section, or says which key is wrong.
        pub(crate) fn build(config: &ProviderConfig, context: ProviderContext) -> Result<Arc<dyn Provider>, ConfigError> {
            match (config, context) {
                $(#[cfg(feature = $word)] (ProviderConfig::$kind(config), context) => crate::providers::$module::build(config, context),)+
                #[cfg(not(any($(feature = $word),+)))]
                (none, _) => match *none {},
            }
        }
    };
}

kinds! {
    /// Amazon's service for text messages and calls.
    "aws-sms" AwsSms => aws_sms,
    /// Prints messages, for development.
    "console" Console => console,
    /// Posts to a gateway's API.
    "http" Http => http,
    /// Mailgun's API for mail.
    "mailgun" Mailgun => mailgun,
    /// Bird's API for text messages, once `MessageBird`.
    "messagebird" MessageBird => messagebird,
    /// The `WhatsApp` Cloud API of Meta.
    "meta" Meta => meta,
    /// Plivo's API for text messages.
    "plivo" Plivo => plivo,
    /// Postmark's API for mail.
    "postmark" Postmark => postmark,
    /// Resend's API for mail.
    "resend" Resend => resend,
    /// `SendGrid`'s API for mail.
    "sendgrid" SendGrid => sendgrid,
    /// Amazon's service for mail.
    "ses" Ses => ses,
    /// A carrier's message centre.
    "smpp" Smpp => smpp,
    /// Hands mail to a server.
    "smtp" Smtp => smtp,
    /// Telnyx's API for text messages.
    "telnyx" Telnyx => telnyx,
    /// Twilio's API for text messages, `WhatsApp` and calls.
    "twilio" Twilio => twilio,
    /// Vonage's APIs for text messages and calls.
    "vonage" Vonage => vonage,
}

#[cfg(test)]
mod tests;
