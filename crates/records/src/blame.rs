//! Whose fault a refusal is: what was to be written, or where.

use crate::RecordsError;

impl RecordsError {
    /// Whether what was to be read or written is itself at fault, so that trying again as it stands is in vain. Anything else, a database that is
    /// away, full, slow or of another form, is not the data's fault.
    #[must_use]
    pub fn is_of_the_data(&self) -> bool {
        match self {
            Self::Exists | Self::Missing | Self::Corrupt { .. } => true,
            Self::Unavailable(error) => error.as_database_error().is_some_and(|refused| is_data_code(refused.code().as_deref())),
            Self::Address(_) | Self::Migration(_) | Self::NotMigrated { .. } | Self::Newer { .. } | Self::Conflict(_) => false,
        }
    }

    /// The database's own word for its refusal, without the values it is about.
    #[must_use]
    pub fn refusal_code(&self) -> Option<String> {
        match self {
            Self::Unavailable(error) => error.as_database_error()?.code().map(String::from),
            _ => None,
        }
    }
}

/// PostgreSQL's classes 22 (values) and 23 (constraints) have five letters. `SQLite` tells numbers: too big (18), mismatch (20), range (25), and
/// constraints (19, with details above the low byte).
fn is_data_code(code: Option<&str>) -> bool {
    let Some(code) = code else { return false };
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => matches!(number & 0xFF, 18 | 19 | 20 | 25),
        Ok(_) | Err(_) => code.len() == 5 && (code.starts_with("22") || code.starts_with("23")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_does_not_fit_is_the_datas_fault_and_a_full_disk_is_not() {
        for code in ["22021", "23514", "22P02", "19", "275", "1555", "18", "20"] {
            assert!(is_data_code(Some(code)), "{code}");
        }
        for code in ["53100", "57014", "40001", "42P01", "55P03", "5", "13", "10", "261"] {
            assert!(!is_data_code(Some(code)), "{code}");
        }
        assert!(!is_data_code(None));
    }
}
