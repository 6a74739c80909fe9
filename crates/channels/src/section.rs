//! What vendors' APIs have in common: in the section an address, a key that has to be there and the header that carries it; and how replies are read.

#[cfg(feature = "header")]
mod header;
mod reply;

use std::path::Path;

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

#[cfg(feature = "header")]
pub(crate) use self::header::hidden_header;
use crate::config::{ConfigError, ConfigProblem};
use crate::secret;

/// The vendor's address, or the one that the operator's `endpoint` names in its place.
pub(crate) fn endpoint(at: &str, given: Option<&str>, vendors: &str) -> Result<Url, ConfigError> {
    let wrong = |what| Err(ConfigError::new(format!("{at}.endpoint"), ConfigProblem::Form(what)));
    match Url::parse(given.unwrap_or(vendors)) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") || !url.has_host() => wrong("an http or https address"),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            wrong("without credentials: they have keys of their own")
        }
        Ok(url) if url.query().is_some() || url.fragment().is_some() => wrong("without a query: calls are put behind it"),
        Ok(url) => Ok(url),
        Err(_) => wrong("an http or https address"),
    }
}

/// `path`, which begins with a slash, behind an endpoint.
pub(crate) fn under(endpoint: &Url, path: &str) -> Url {
    let mut url = endpoint.clone();
    url.set_path(&format!("{}{path}", endpoint.path().trim_end_matches('/')));
    url
}

/// A secret that the section cannot do without, from its value or its file.
pub(crate) fn needed(
    at: &str,
    key: &'static str,
    value: Option<&SecretString>,
    file: Option<&Path>,
) -> Result<SecretString, ConfigError> {
    let secret = secret::read(at, key, value, file)?;
    let filled = secret.filter(|secret| !secret.expose_secret().trim().is_empty());
    filled.ok_or_else(|| ConfigError::new(format!("{at}.{key}"), ConfigProblem::Secret(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_the_vendors_unless_the_operator_names_one() {
        let vendors = endpoint("providers.x", None, "https://api.vendor.example").unwrap();
        assert_eq!(under(&vendors, "/v3/send").as_str(), "https://api.vendor.example/v3/send");
        for given in ["https://proxy.example/vendor", "https://proxy.example/vendor/"] {
            let own = endpoint("providers.x", Some(given), "https://api.vendor.example").unwrap();
            assert_eq!(under(&own, "/v3/send").as_str(), "https://proxy.example/vendor/v3/send");
        }
        for wrong in ["proxy.example", "ftp://proxy.example", "https://me:pw@proxy.example", "https://proxy.example/?a=1"] {
            let told = endpoint("providers.x", Some(wrong), "https://api.vendor.example").unwrap_err().to_string();
            assert!(told.starts_with("providers.x.endpoint: must be ") && !told.contains("pw"), "{told}");
        }
    }

    #[test]
    fn a_key_that_is_needed_is_there_and_is_no_blank() {
        for value in [None, Some(SecretString::from("")), Some(SecretString::from(" "))] {
            let told = needed("providers.x", "api_key", value.as_ref(), None).unwrap_err().to_string();
            let expected = "providers.x.api_key: is empty or missing: give it, or name a file that holds it as `api_key_file`";
            assert_eq!(told, expected);
        }
    }
}
