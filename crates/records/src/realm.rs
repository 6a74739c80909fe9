use std::fmt;
use std::str::FromStr;

use countersign_model::{InvalidId, KeyKind, Mode, Scope};

/// What a list never crosses: a tenant, the kind of key that opened a session, and its mode. One short word in columns and indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Realm {
    /// Who may see it.
    pub scope: Scope,
    /// Live or sandbox. What a test key opens is always sandbox.
    pub mode: Mode,
}

impl fmt::Display for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match (self.scope.keys, self.mode) {
            (KeyKind::Live, Mode::Live) => "l",
            (KeyKind::Live, Mode::Sandbox) => "s",
            (KeyKind::Test, _) => "t",
        };
        write!(f, "{}.{word}", self.scope.tenant)
    }
}

impl FromStr for Realm {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (tenant, word) = text.split_once('.').ok_or(InvalidId)?;
        let (keys, mode) = match word {
            "l" => (KeyKind::Live, Mode::Live),
            "s" => (KeyKind::Live, Mode::Sandbox),
            "t" => (KeyKind::Test, Mode::Sandbox),
            _ => return Err(InvalidId),
        };
        Ok(Self { scope: Scope { tenant: tenant.parse()?, keys }, mode })
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::TenantId;

    use super::*;

    #[test]
    fn a_realm_is_read_back_from_its_word() {
        let tenant = TenantId::from_bits(1 << 100);
        for (keys, mode) in [(KeyKind::Live, Mode::Live), (KeyKind::Live, Mode::Sandbox), (KeyKind::Test, Mode::Sandbox)] {
            let realm = Realm { scope: Scope { tenant, keys }, mode };
            assert_eq!(realm.to_string().parse(), Ok(realm));
        }
        assert_eq!("ten_1.x".parse::<Realm>(), Err(InvalidId));
    }
}
