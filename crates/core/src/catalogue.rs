//! What a caller has to choose from: its templates and its senders.

use countersign_channels::WordingError;
use countersign_model::{Channel, Sender, Template, Uuid, Wording, is_name};

use crate::callers::Caller;
use crate::languages::Languages;
use crate::manage::{ManageError, Order, TemplateDraft};
use crate::platform::Platform;
use crate::refusal::Refusal;

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// At most as many as were asked for.
    pub rows: Vec<T>,
    /// How many there are in all.
    pub total: usize,
}

impl<T: Clone> Listing<T> {
    fn of(all: &[&T], offset: usize, limit: usize) -> Self {
        Self { rows: all.iter().skip(offset).take(limit).map(|row| (*row).clone()).collect(), total: all.len() }
    }
}

/// A template that a caller makes for itself. It is used only where a send chooses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTemplate {
    /// Where it is used.
    pub channel: Channel,
    /// For people.
    pub name: String,
    /// The words, with `{{code}}` once at least.
    pub body: String,
}

/// Why no template was made.
#[derive(Debug, thiserror::Error)]
pub enum AddTemplateError {
    /// It has no place for the code.
    #[error("the template has no place for the code")]
    WithoutCode,
    /// The words are not fit for it otherwise.
    #[error(transparent)]
    Wording(WordingError),
    /// Not a name that people can be shown.
    #[error("not a name")]
    Name,
    /// The rest.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Platform {
    /// The newest version of each template of the caller's tenant whose name begins so, oldest first.
    pub async fn templates(
        &self,
        caller: &Caller,
        name_prefix: Option<&str>,
        offset: usize,
        limit: usize,
    ) -> Result<Listing<Template>, Refusal> {
        let caller = self.admit(caller).await?;
        let fits = |template: &&Template| name_prefix.is_none_or(|prefix| template.name.starts_with(prefix));
        let mut all: Vec<&Template> = caller.config.templates().iter().filter(fits).collect();
        all.sort_by_key(|template| (template.created_at, template.id));
        Ok(Listing::of(&all, offset, limit))
    }

    /// One of them.
    pub async fn template(&self, caller: &Caller, id: Uuid) -> Result<Option<Template>, Refusal> {
        let caller = self.admit(caller).await?;
        Ok(caller.config.templates().iter().find(|template| template.id == id).cloned())
    }

    /// Makes a template. Sends that name its id are worded by it as soon as this returns.
    pub async fn add_template(&self, caller: &Caller, new: NewTemplate) -> Result<Template, AddTemplateError> {
        let caller = self.admit(caller).await?;
        match self.router.check_wording(new.channel, None, &new.body) {
            Ok(()) => {}
            Err(WordingError::CodeMissing) => return Err(AddTemplateError::WithoutCode),
            Err(flaw) => return Err(AddTemplateError::Wording(flaw)),
        }
        if !is_name(&new.name) {
            return Err(AddTemplateError::Name);
        }
        // Who makes it does not say what it is written in.
        let spoken = self.service(&caller, None).and_then(|service| service.locale);
        let languages = Languages::of(None, None, spoken.as_deref());
        let draft = TemplateDraft {
            service: None,
            channel: new.channel,
            locale: languages.first().to_owned(),
            name: new.name,
            wording: Wording { subject: None, body: new.body },
            by_choice: true,
        };
        let order = Order { who: caller.key.to_string(), key: None };
        let done = self.create_template(&order, caller.scope.tenant, None, draft).await.map_err(refusal)?;
        Ok(done.record)
    }

    /// The registered senders of the caller's tenant, oldest first.
    pub async fn senders(&self, caller: &Caller, offset: usize, limit: usize) -> Result<Listing<Sender>, Refusal> {
        let caller = self.admit(caller).await?;
        let mut all: Vec<&Sender> = caller.config.senders.iter().collect();
        all.sort_by_key(|sender| (sender.created_at, sender.id));
        Ok(Listing::of(&all, offset, limit))
    }
}

fn refusal(error: ManageError) -> Refusal {
    match error {
        ManageError::Records(error) => Refusal::RecordsAway(error),
        ManageError::Store(error) => Refusal::Unavailable(error),
        ManageError::Busy => Refusal::Unsettled,
        ManageError::Invalid(_)
        | ManageError::Missing(_)
        | ManageError::Exists(_)
        | ManageError::State(_)
        | ManageError::IdempotencyMismatch
        | ManageError::Internal(_) => Refusal::Internal("a template that was checked could not be made"),
    }
}
