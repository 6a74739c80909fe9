//! A tenant's own words, looked through and tried out before anybody gets them.

use countersign_channels::{Content, Part, RenderError, WordingError, preview_wording};
use countersign_model::{Channel, Flaw, LANGUAGE_TAG, Wording, is_language_tag};

use super::error::ManageError;
use crate::platform::Platform;

/// What a person would get, with a sample code.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Preview {
    /// E-mail only.
    pub subject: Option<String>,
    /// The plain text.
    pub text: String,
    /// E-mail only: the whole document.
    pub html: Option<String>,
}

impl Platform {
    /// Puts words together as for a message of ten minutes' life. `app`: the name it shows; none: the installation's.
    pub fn preview(&self, channel: Channel, wording: &Wording, locale: &str, app: Option<&str>) -> Result<Preview, ManageError> {
        let mut flaws: Vec<Flaw> = self.wording_flaw(channel, wording).into_iter().collect();
        if !is_language_tag(locale) {
            flaws.push(Flaw::new("locale", format!("must be {LANGUAGE_TAG}")));
        }
        ManageError::unless_sound(flaws)?;
        let app = app.unwrap_or(&self.settings.default_service.app_name);
        match preview_wording(channel, wording, app, locale) {
            Ok(Content::Email { subject, text, html }) => Ok(Preview { subject: Some(subject), text, html: Some(html) }),
            Ok(Content::Phone { text }) => Ok(Preview { subject: None, text, html: None }),
            Err(RenderError::Words) => Err(ManageError::Internal("sample words cannot be put together")),
            Err(told) => Err(ManageError::invalid("body", format!("cannot be used: {told}"))),
        }
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
