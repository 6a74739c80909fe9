//! One folder a provider. `crate::registry` lists those that configuration can ask for.

#[cfg(feature = "aws-sms")]
pub(crate) mod aws_sms;
#[cfg(feature = "console")]
pub(crate) mod console;
#[cfg(feature = "http")]
pub(crate) mod http;
#[cfg(feature = "mailgun")]
pub(crate) mod mailgun;
#[cfg(feature = "messagebird")]
pub(crate) mod messagebird;
#[cfg(feature = "meta")]
pub(crate) mod meta;
#[cfg(test)]
mod pages;
#[cfg(feature = "plivo")]
pub(crate) mod plivo;
#[cfg(feature = "postmark")]
pub(crate) mod postmark;
#[cfg(feature = "resend")]
pub(crate) mod resend;
pub(crate) mod sandbox;
#[cfg(feature = "sendgrid")]
pub(crate) mod sendgrid;
#[cfg(feature = "ses")]
pub(crate) mod ses;
#[cfg(feature = "smpp")]
pub(crate) mod smpp;
#[cfg(feature = "smtp")]
pub(crate) mod smtp;
#[cfg(feature = "telnyx")]
pub(crate) mod telnyx;
#[cfg(feature = "twilio")]
pub(crate) mod twilio;
#[cfg(feature = "vonage")]
pub(crate) mod vonage;
