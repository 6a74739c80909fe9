use reqwest::header::HeaderValue;

use crate::config::{ConfigError, ConfigProblem};

/// The value of a header that no log shows.
pub(crate) fn hidden_header(at: &str, key: &'static str, text: &str) -> Result<HeaderValue, ConfigError> {
    let wrong = |_| ConfigError::new(format!("{at}.{key}"), ConfigProblem::Form("one line of visible text"));
    let mut value = HeaderValue::from_str(text).map_err(wrong)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_a_header_is_one_line_and_is_not_shown() {
        let told = hidden_header("providers.x", "api_key", "Bearer a\nb").unwrap_err().to_string();
        assert_eq!(told, "providers.x.api_key: must be one line of visible text");
        assert!(!format!("{:?}", hidden_header("providers.x", "api_key", "Bearer hush").unwrap()).contains("hush"));
    }
}
