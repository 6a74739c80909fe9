//! The looks of mails: HTML without words of its own.

use minijinja::{Environment, UndefinedBehavior, Value};

const FRAME: (&str, &str) = ("email.html", include_str!("templates/email.html"));
/// Bold where a stretch is strong.
const STRETCHES: (&str, &str) = ("stretches.html", include_str!("templates/stretches.html"));
/// Around a tenant's own words.
const OWN: (&str, &str) = ("email_own.html", include_str!("templates/email_own.html"));

/// The compiled looks.
pub(crate) struct Looks {
    templates: Environment<'static>,
}

impl Looks {
    /// # Panics
    /// When a compiled-in template has a mistake, which a test of this crate would show first.
    #[expect(clippy::expect_used, reason = "the templates are part of the program")]
    pub(crate) fn new() -> Self {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, source) in [FRAME, STRETCHES, OWN] {
            templates.add_template(name, source).expect("compiled-in templates are sound");
        }
        Self { templates }
    }

    /// A whole HTML document of the built-in words.
    pub(crate) fn around_built_in(&self, values: &Value) -> Result<String, minijinja::Error> {
        self.templates.get_template(FRAME.0)?.render(values.clone())
    }

    /// A whole HTML document around a tenant's own words.
    pub(crate) fn around_own(&self, values: &Value) -> Result<String, minijinja::Error> {
        self.templates.get_template(OWN.0)?.render(values.clone())
    }
}
