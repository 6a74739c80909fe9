use serde::de::DeserializeOwned;

use crate::http::Reply;
use crate::provider::{Diagnostic, TryOutcome};

impl Reply {
    /// The body as JSON; none where it is not whole or not of that form.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Option<T> {
        self.body.is_whole.then(|| serde_json::from_slice(&self.body.bytes).ok())?
    }

    /// What a log may say of it.
    pub(crate) const fn diagnostic(&self) -> Diagnostic {
        Diagnostic::Http(self.status)
    }

    /// What the status alone says where the body has nothing to add: nothing here is final for a recipient.
    pub(crate) const fn outcome(&self) -> TryOutcome {
        let said = self.diagnostic();
        match self.status {
            429 => TryOutcome::Throttled(said),
            401 | 403 => TryOutcome::Misconfigured(said),
            _ => TryOutcome::Unknown(said),
        }
    }
}
