//! Messages looked at before anybody gets them.

use countersign_channels::{Content, Part, RenderError, Sample, WordingError, sample};
use countersign_model::{Channel, Country, Flaw, LANGUAGE_TAG, Mode, ServiceId, TenantId, Wording, is_language_tag};

use super::error::ManageError;
use crate::languages::Languages;
use crate::platform::Platform;
use crate::wordings::{Speech, speech};

/// What is to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewDraft {
    /// Where it would go.
    pub channel: Channel,
    /// Words to try out; none: what the tenant's messages say, be they its own words or the built-in ones.
    pub wording: Option<Wording>,
    /// BCP 47 tag, as a call would ask for it.
    pub locale: Option<String>,
    /// Where the number would be: decides the price, and the language where nobody asks for one.
    pub country: Option<Country>,
    /// The profile; none: that of calls that name none.
    pub service: Option<ServiceId>,
    /// The name that is shown; none: the profile's.
    pub app: Option<String>,
}

/// What a person would get, with a sample code, and what it would take.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Preview {
    /// The language that was chosen.
    pub locale: String,
    /// E-mail only.
    pub subject: Option<String>,
    /// The plain text.
    pub text: String,
    /// E-mail only: the whole document.
    pub html: Option<String>,
    /// Characters of the plain text, as people count them.
    pub characters: usize,
    /// Text messages only: `gsm7` or `ucs2`.
    pub encoding: Option<&'static str>,
    /// Text messages only: how many a carrier bills.
    pub segments: Option<usize>,
    /// What the message costs the tenant, whatever its segments; none: nobody is billed here.
    pub cost: Option<String>,
    /// Of `cost`.
    pub currency: Option<String>,
}

impl Platform {
    /// Puts words together as for a message of ten minutes' life. Keeps nothing and sends nothing.
    pub fn preview(&self, tenant: TenantId, draft: &PreviewDraft) -> Result<Preview, ManageError> {
        let PreviewDraft { channel, wording, locale, country, service, app } = draft;
        let mut flaws: Vec<Flaw> = wording.iter().filter_map(|wording| self.wording_flaw(*channel, wording)).collect();
        if locale.as_ref().is_some_and(|locale| !is_language_tag(locale)) {
            flaws.push(Flaw::new("locale", format!("must be {LANGUAGE_TAG}")));
        }
        let config = self.directory.tenant(tenant).ok_or(ManageError::Missing("tenant"))?;
        let rules = self.rules(&config, *service, Mode::Live);
        if rules.is_none() {
            flaws.push(Flaw::new("service", "must be a service of the tenant"));
        }
        ManageError::unless_sound(flaws)?;
        let rules = rules.ok_or(ManageError::Missing("service"))?;
        let languages = Languages::of(locale.as_deref(), *country, rules.service.locale.as_deref());
        let Speech { locale, wording } = match wording {
            Some(wording) => Speech { locale: languages.first().to_owned(), wording: Some(wording.clone()) },
            None => speech(Some(&config), rules.service.id, None, *channel, &languages),
        };
        let app = app.as_ref().unwrap_or(&rules.service.app_name);
        let sample = sample(*channel, wording.as_ref(), app, &locale, rules.service.never_share).map_err(unsaid)?;
        let billed = rules.prices.is_some();
        Ok(Preview {
            cost: billed.then(|| rules.cost(*channel, *country).to_string()),
            currency: billed.then(|| self.currency().to_owned()),
            ..Preview::of(sample)
        })
    }

    /// Why words are not taken, if so.
    pub(super) fn wording_flaw(&self, channel: Channel, wording: &Wording) -> Option<Flaw> {
        let refused = self.router.check_wording(channel, wording.subject.as_deref(), &wording.body).err()?;
        let field = match part(&refused) {
            Part::Subject => "subject",
            Part::Body => "body",
        };
        Some(Flaw::new(field, format!("cannot be used: {refused}")))
    }
}

impl Preview {
    fn of(sample: Sample) -> Self {
        let characters = sample.content.text().chars().count();
        let (subject, text, html) = match sample.content {
            Content::Email { subject, text, html } => (Some(subject), text, Some(html)),
            Content::Phone { text } => (None, text, None),
        };
        Self {
            locale: sample.locale.into_owned(),
            subject,
            text,
            html,
            characters,
            encoding: sample.segments.map(|size| size.encoding.as_str()),
            segments: sample.segments.map(|size| size.count),
            cost: None,
            currency: None,
        }
    }
}

fn unsaid(error: RenderError) -> ManageError {
    match error {
        RenderError::Words => ManageError::Internal("sample words cannot be put together"),
        told => ManageError::invalid("body", format!("cannot be used: {told}")),
    }
}

/// Where the fault lies.
const fn part(refused: &WordingError) -> Part {
    match refused {
        WordingError::Empty(part)
        | WordingError::TooLong(part)
        | WordingError::Control(part)
        | WordingError::Syntax { part, .. }
        | WordingError::UnknownVariable { part, .. } => *part,
        WordingError::CodeInSubject | WordingError::Subject(_) => Part::Subject,
        WordingError::TooManySegments { .. } | WordingError::CodeMissing => Part::Body,
    }
}
