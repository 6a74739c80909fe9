//! Whose words a message goes out in, and under whose name.

use countersign_channels::{RenderError, WordingError, built_in_language};
use countersign_model::{Channel, ServiceId, Template, Uuid, Wording};

use crate::directory::TenantConfig;
use crate::languages::{LOCALE, Languages};
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
    languages: &Languages,
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
            TemplateChoice::Name(name) => named(config, name, service, channel, languages),
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

/// What a message is said in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Speech {
    /// The language of the words.
    pub(crate) locale: String,
    /// The tenant's own words; none: the built-in ones.
    pub(crate) wording: Option<Wording>,
}

/// The words for a message: those of the template that was chosen, or of its namesake for another channel; else, language by language, the
/// tenant's own that are used by themselves, then the built-in ones. A language comes before whose words they are: who reads German gets German.
pub(crate) fn speech(
    config: Option<&TenantConfig>,
    service: Option<ServiceId>,
    chosen: Option<Uuid>,
    channel: Channel,
    languages: &Languages,
) -> Speech {
    let own = config.and_then(|config| {
        let chosen = chosen.and_then(|id| config.templates().iter().find(|template| template.id == id))?;
        if chosen.channel == channel { Some(chosen) } else { named(config, &chosen.name, service, channel, languages) }
    });
    let speech = |own: &Template| {
        let Template { locale, subject, body, .. } = own.clone();
        Speech { locale, wording: Some(Wording { subject, body }) }
    };
    if let Some(own) = own {
        return speech(own);
    }
    let in_language = |locale: &str| {
        let own = config.and_then(|config| config.template(service, channel, locale)).map(speech);
        own.or_else(|| built_in_language(locale).map(|locale| Speech { locale: locale.to_owned(), wording: None }))
    };
    languages.iter().find_map(in_language).unwrap_or_else(|| Speech { locale: LOCALE.to_owned(), wording: None })
}

/// The tenant's template of that name in the language that is wanted most; where it is in none of them, any.
fn named<'a>(
    config: &'a TenantConfig,
    name: &str,
    service: Option<ServiceId>,
    channel: Channel,
    languages: &Languages,
) -> Option<&'a Template> {
    let wanted = languages.iter().find_map(|locale| config.template_named(name, service, channel, locale));
    wanted.or_else(|| config.template_of_any_language(name, service, channel))
}

/// Why a message cannot be said, when the template was the caller's choice.
pub(crate) fn unsaid(channel: Channel, is_chosen: bool, source: RenderError) -> SendError {
    match source {
        RenderError::Wording(WordingError::CodeMissing) if is_chosen => SendError::TemplateWithoutCode,
        source => SendError::Message { channel, source },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use countersign_model::{SeededRng, Tenant, Timestamp};
    use countersign_records::Snapshot;

    use super::*;
    use crate::directory::Directory;

    const SERVICE: &str = "7d1f0c2e-51c3-4c0a-9a51-0a6f6f3a5b11";

    fn shop() -> ServiceId {
        SERVICE.parse().unwrap()
    }

    /// A tenant whose templates say whose they are: (service or not, name, locale, whether only by choice).
    fn tenant(templates: &[(bool, &str, &str, bool)]) -> Arc<TenantConfig> {
        let now = Timestamp::from_millis(0);
        let tenant = Tenant::new("acme", now, &SeededRng::new(7));
        let templates = templates.iter().zip(1..).map(|((of_service, name, locale, by_choice), id)| Template {
            id: Uuid::from_u128(id),
            tenant: tenant.id,
            service: of_service.then(shop),
            channel: Channel::Sms,
            locale: (*locale).to_owned(),
            name: (*name).to_owned(),
            subject: None,
            body: format!("{{{{code}}}} {} {locale}", if *of_service { "shop" } else { "tenant" }),
            by_choice: *by_choice,
            version: 1,
            created_at: now,
        });
        let records = Snapshot {
            version: 1,
            templates: templates.collect(),
            tenants: vec![tenant.clone()],
            keys: Vec::new(),
            services: Vec::new(),
            senders: Vec::new(),
            admin_tokens: Vec::new(),
        };
        Directory::new(records).tenant(tenant.id).unwrap()
    }

    /// The language, and the words behind the code; built-in ones are told by a dash.
    fn said(
        config: &TenantConfig,
        service: Option<ServiceId>,
        chosen: Option<u128>,
        asked: &str,
        spoken: Option<&str>,
    ) -> String {
        let languages = Languages::of(Some(asked), None, spoken);
        let speech = speech(Some(config), service, chosen.map(Uuid::from_u128), Channel::Sms, &languages);
        let words = speech.wording.map_or_else(|| "-".to_owned(), |wording| wording.body.replace("{{code}} ", ""));
        format!("{}: {words}", speech.locale)
    }

    #[test]
    fn the_services_words_come_before_the_tenants_and_a_close_language_before_a_wide_one() {
        let config = tenant(&[(false, "a", "pt-BR", false), (true, "b", "pt", false), (false, "c", "de", false)]);
        assert_eq!(said(&config, Some(shop()), None, "pt-BR", None), "pt: shop pt");
        assert_eq!(said(&config, None, None, "pt-BR", None), "pt-BR: tenant pt-BR");
        assert_eq!(said(&config, Some(shop()), None, "de-CH", None), "de: tenant de");
    }

    #[test]
    fn a_language_comes_before_whose_words_it_is_said_in() {
        let config = tenant(&[(false, "a", "de", false)]);
        assert_eq!(said(&config, None, None, "fr", Some("de")), "fr: -");
        assert_eq!(said(&config, None, None, "xx", Some("de")), "de: tenant de", "nobody has words in the first one");
        assert_eq!(said(&config, None, None, "xx", None), "en: -");
    }

    #[test]
    fn words_that_are_only_for_who_chooses_them_are_used_by_nobody_else() {
        let config = tenant(&[(false, "a", "de", true)]);
        assert_eq!(said(&config, None, None, "de", None), "de: -");
        assert_eq!(said(&config, None, Some(1), "de", None), "de: tenant de");
    }

    #[test]
    fn a_chosen_template_is_used_in_its_own_language_whatever_is_asked() {
        let config = tenant(&[(false, "login", "de", true)]);
        assert_eq!(said(&config, None, Some(1), "fr", None), "de: tenant de");
    }
}
