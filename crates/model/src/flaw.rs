use std::borrow::Cow;
use std::fmt;

/// What is wrong with one value that an operator wrote, in the configuration or by the admin API: said in one place for both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Where, inside of what was checked: `code_length`, `channels.sms.default`.
    pub field: String,
    /// What it must be: `must be 4 to 10 digits`. Never repeats the value.
    pub must: Cow<'static, str>,
}

impl Flaw {
    /// Of `field`.
    #[must_use]
    pub fn new(field: impl Into<String>, must: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), must: must.into() }
    }

    /// The same, inside of what stands at `place`.
    #[must_use]
    pub fn under(self, place: impl fmt::Display) -> Self {
        Self { field: format!("{place}.{}", self.field), ..self }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.must)
    }
}
