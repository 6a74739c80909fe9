use countersign_model::ServiceProfile;
use serde::{Deserialize, Serialize};

use super::Problem;

/// One of `[[services]]`: a profile that calls name by its UUID. What it leaves open, `[session]` decides; what that leaves open, the dialect of
/// the call.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedProfile {
    /// The UUID by which calls name it; bring along the one you had elsewhere.
    pub id: String,
    /// Its keys.
    #[serde(flatten)]
    pub profile: ServiceProfile,
}

/// `section` is where it stands: `session`, `services[0]`.
pub(super) fn problems(profile: &ServiceProfile, section: &str, found: &mut Vec<Problem>) {
    let flaws = profile.check(ServiceProfile::DEFAULT_MAX_LIFE_MINUTES);
    if !profile.test_recipients.is_empty() {
        // Their codes would stand in a file, and in every print of it.
        found.push(Problem::new(
            format!("{section}.test_recipients"),
            "must be set on a service, by the admin API or `countersign service`",
        ));
    }
    found.extend(flaws.into_iter().map(|flaw| Problem::new(format!("{section}.{}", flaw.field), flaw.must)));
}
