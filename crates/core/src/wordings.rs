//! Whose words a message goes out in, and under whose name.

use countersign_channels::{RenderError, WordingError};
use countersign_model::{Channel, ServiceId, Template, Uuid, Wording};

use crate::directory::TenantConfig;
use crate::send::{Send, SendError};

/// The template that there always is: the tenant's own of that name, else whatever is used when nobody chooses.
const DEFAULT: &str = "default";

/// Which of the tenant's templates words a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateChoice {
    /// The one of this id.
    Id(Uuid),
    /// One of this name: the service's before the tenant's, the closest language first. `default` is always there.
    Name(String),
}

/// Whom a message comes from, where the provider lets callers choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SenderChoice {
    /// The tenant's registered sender of this id.
    Id(Uuid),
    /// This name.
    Name(String),
}

/// The template that a send chose, of the tenant that makes it; none: none, or the default one.
pub(crate) fn chosen_template(
    config: &TenantConfig,
    service: Option<ServiceId>,
    locale: &str,
    command: &Send,
) -> Result<Option<Uuid>, SendError> {
    let Some(choice) = &command.template else { return Ok(None) };
    let is_known = match choice {
        TemplateChoice::Id(id) => config.templates().iter().any(|template| template.id == *id),
        TemplateChoice::Name(name) => name == DEFAULT || config.templates().iter().any(|template| template.name == *name),
    };
    if !is_known {
        return Err(SendError::UnknownTemplate);
    }
    let mut first = None;
    for asked in &command.channels {
        let channel = asked.channel;
        let found = match choice {
            TemplateChoice::Id(id) => {
                config.templates().iter().find(|template| template.id == *id && template.channel == channel)
            }
            TemplateChoice::Name(name) => config.template_named(name, service, channel, locale),
        };
        if found.is_none() && !matches!(choice, TemplateChoice::Name(name) if name == DEFAULT) {
            return Err(SendError::TemplateForOtherChannel { channel });
        }
        first = first.or(found.map(|template| template.id));
    }
    Ok(first)
}

/// Whom a send's messages come from.
pub(crate) fn chosen_sender(config: &TenantConfig, command: &Send) -> Result<Option<String>, SendError> {
    match &command.sender {
        None => Ok(None),
        Some(SenderChoice::Name(name)) if name.chars().any(char::is_control) => Err(SendError::UnknownSender),
        Some(SenderChoice::Name(name)) => Ok(Some(name.clone())),
        Some(SenderChoice::Id(id)) => {
            let fits = |channel: Channel| command.channels.iter().any(|asked| asked.channel == channel);
            let found = config.senders.iter().find(|sender| sender.id == *id && fits(sender.channel));
            found.map(|sender| Some(sender.value.clone())).ok_or(SendError::UnknownSender)
        }
    }
}

/// The tenant's own words for a message, where it has any: those of the template that was chosen, or of its namesake for another channel, else
/// those that are used by themselves.
pub(crate) fn wording(
    config: &TenantConfig,
    service: Option<ServiceId>,
    chosen: Option<Uuid>,
    channel: Channel,
    locale: &str,
) -> Option<Wording> {
    let chosen = chosen.and_then(|id| config.templates().iter().find(|template| template.id == id));
    let namesake = |template: &Template| config.template_named(&template.name, service, channel, locale);
    let chosen = chosen.and_then(|template| if template.channel == channel { Some(template) } else { namesake(template) });
    let Template { subject, body, .. } = chosen.or_else(|| config.template(service, channel, locale))?.clone();
    Some(Wording { subject, body })
}

/// Why a message cannot be said, when the template was the caller's choice.
pub(crate) fn unsaid(channel: Channel, is_chosen: bool, source: RenderError) -> SendError {
    match source {
        RenderError::Wording(WordingError::CodeMissing) if is_chosen => SendError::TemplateWithoutCode,
        source => SendError::Message { channel, source },
    }
}
