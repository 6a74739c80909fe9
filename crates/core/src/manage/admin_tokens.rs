//! What lets operators in.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use countersign_model::{Flaw, Rng, SecretHash, Timestamp};
use countersign_records::{AdminToken, RecordsError, Transaction};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use tracing::{error, warn};
use zeroize::Zeroizing;

use super::api_keys::Secretive;
use super::error::ManageError;
use super::order::{Acted, Done, Order, found, seen};
use super::views::TokenView;
use crate::callers::{AuthError, bucket, secret_hash};
use crate::platform::Platform;

/// What a token of the admin API may do. None includes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdminScope {
    /// Look at everything that is no secret.
    Read,
    /// Change tenants, services, templates, senders, webhook endpoints, and what was set aside.
    Write,
    /// Move money.
    Wallet,
    /// Make and end API keys and admin tokens.
    Keys,
}

/// The text names no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a scope: read, write, wallet or keys")]
pub struct UnknownScope;

impl AdminScope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Wallet, Self::Keys];

    /// The word on the wire and in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Wallet => "wallet",
            Self::Keys => "keys",
        }
    }
}

impl fmt::Display for AdminScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AdminScope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or(UnknownScope)
    }
}

/// An operator who was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// The token's name: who it is in the audit log.
    pub name: String,
    /// What it may do.
    pub scopes: BTreeSet<AdminScope>,
}

/// What somebody wants of a new admin token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenDraft {
    /// Unique for ever; stands in paths and in the audit log.
    pub name: String,
    /// What it may do; at least one.
    pub scopes: BTreeSet<AdminScope>,
    /// When it dies by itself.
    pub expires_at: Option<Timestamp>,
}

impl TokenDraft {
    fn check(&self, now: Timestamp) -> Vec<Flaw> {
        let mut found = Vec::new();
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"._@-".contains(&byte);
        if !(1..=64).contains(&self.name.len()) || !self.name.bytes().all(sound) || Order::TAKEN.contains(&&*self.name) {
            found.push(Flaw::new("name", "must be 1 to 64 letters, digits and ._@-, and not \"terminal\" or \"countersign\""));
        }
        if self.scopes.is_empty() {
            found.push(Flaw::new("scopes", "must name at least one of read, write, wallet and keys"));
        }
        if self.expires_at.is_some_and(|end| end <= now) {
            found.push(Flaw::new("expires_at", "must lie ahead"));
        }
        found
    }
}

const PREFIX: &str = "cs_admin_";
/// 256 bits in base64 without padding.
const LETTERS: usize = 43;

/// A new token: its prefix and 256 random bits.
fn mint(rng: &dyn Rng) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; 32]);
    rng.fill(&mut *bytes);
    Zeroizing::new(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&*bytes)))
}

/// Whether it could be a token at all: what could not costs no look into the records.
fn could_be(token: &str) -> bool {
    token.strip_prefix(PREFIX).is_some_and(|rest| rest.len() == LETTERS)
}

impl Platform {
    /// Lets an operator in. Failures are counted by address, together with those of API keys; a right token is never held up by them.
    pub async fn authenticate_admin(&self, token: Option<&str>, peer: IpAddr) -> Result<Admin, AuthError> {
        let now = self.clock.now();
        if let Some(token) = token.filter(|token| could_be(token))
            && let Some(known) = self.admin_token(secret_hash(token)).await?.filter(|known| known.is_usable(now))
        {
            return Ok(let_in(known));
        }
        self.metrics.authentication_failed();
        Err(match self.failures.count(bucket(peer), self.settings.limits.failed_authentication, now) {
            Ok(_) => AuthError::Refused,
            Err(quota) => AuthError::TooMany { wait: quota.resets_in },
        })
    }

    /// The token behind a hash, by the records; while they are away, by what is known here. One that is not known here may have been made a
    /// moment ago.
    async fn admin_token(&self, hash: SecretHash) -> Result<Option<AdminToken>, AuthError> {
        if !self.follower.is_away() {
            match self.records.admin_tokens().find_by_hash(hash).await {
                Ok(found) => return Ok(found),
                Err(failure @ RecordsError::Unavailable(_)) => warn!(%failure, "an admin token cannot be looked up"),
                Err(failure) => {
                    error!(%failure, "an admin token cannot be looked up");
                    return Err(AuthError::Unavailable);
                }
            }
        }
        self.directory.admin(&hash).map(Some).ok_or(AuthError::Unavailable)
    }

    /// Makes an admin token. Nobody can give away more than `giver` has; none: a terminal, which has everything.
    pub async fn create_admin_token(
        &self,
        order: &Order,
        giver: Option<&Admin>,
        draft: TokenDraft,
    ) -> Result<Secretive<AdminToken>, ManageError> {
        let now = self.clock.now();
        let mut flaws = draft.check(now);
        if giver.is_some_and(|giver| !giver.scopes.is_superset(&draft.scopes)) {
            flaws.push(Flaw::new("scopes", "must be among those of the token that asks"));
        }
        ManageError::unless_sound(flaws)?;
        let secret = mint(&*self.rng);
        let token = AdminToken {
            name: draft.name,
            hash: secret_hash(&secret),
            scopes: draft.scopes.iter().map(AdminScope::to_string).collect(),
            created_at: now,
            expires_at: draft.expires_at,
            revoked_at: None,
        };
        let done = self.change(order, None, async |transaction: &mut Transaction| {
            transaction.admin_tokens().insert(&token).await.map_err(ManageError::of("admin token"))?;
            let view = seen(&TokenView::of(&token, now))?;
            Ok(Acted {
                record: token.name.clone(),
                what: "admin_token.create",
                target: token.name.clone(),
                before: None,
                after: view,
            })
        });
        let Done { record: name, replayed } = done.await?;
        let record = found("admin token", self.records.admin_tokens().find(&name).await)?;
        Ok(Secretive::of(Done { record, replayed }, secret))
    }

    /// Ends an admin token for good; its next call is refused. Ending it again is no error.
    pub async fn revoke_admin_token(&self, order: &Order, name: &str) -> Result<AdminToken, ManageError> {
        let now = self.clock.now();
        let done = self.change(order, None, async |transaction: &mut Transaction| {
            let before = found("admin token", transaction.admin_tokens().find(name).await)?;
            transaction.admin_tokens().revoke(name, now).await?;
            let after = AdminToken { revoked_at: before.revoked_at.or(Some(now)), ..before.clone() };
            Ok(Acted {
                record: (),
                what: "admin_token.revoke",
                target: name.to_owned(),
                before: seen(&TokenView::of(&before, now))?,
                after: seen(&TokenView::of(&after, now))?,
            })
        });
        done.await?;
        found("admin token", self.records.admin_tokens().find(name).await)
    }

    /// Every admin token, revoked and expired ones too, oldest first.
    pub async fn list_admin_tokens(&self) -> Result<Vec<AdminToken>, ManageError> {
        Ok(self.records.admin_tokens().list().await?)
    }
}

/// Scopes that this release does not know give nothing.
fn let_in(token: AdminToken) -> Admin {
    let read = |word: &String| {
        let scope = word.parse::<AdminScope>();
        if scope.is_err() {
            error!(token = token.name, word, "an admin token has a scope that is not known here");
        }
        scope.ok()
    };
    let scopes = token.scopes.iter().filter_map(read).collect();
    Admin { name: token.name, scopes }
}

#[cfg(test)]
mod tests {
    use countersign_model::SeededRng;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_768_473_900_000);

    #[test]
    fn a_new_token_says_what_it_is_and_has_256_bits() {
        let rng = SeededRng::new(1);
        let (one, other) = (mint(&rng), mint(&rng));
        assert!(could_be(&one) && could_be(&other));
        assert_ne!(*one, *other);
        for wrong in ["", "cs_admin_", "sk_test_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &one[..one.len() - 1]] {
            assert!(!could_be(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_name_can_stand_in_a_path_and_is_nobody_elses() {
        let flawed = |name: &str| {
            let draft = TokenDraft { name: name.to_owned(), scopes: BTreeSet::from([AdminScope::Read]), expires_at: None };
            !draft.check(NOW).is_empty()
        };
        assert!(!flawed("ci.deploy-1@example"));
        for wrong in ["", "a/b", "a b", "terminal", "countersign", "ü", &"x".repeat(65)] {
            assert!(flawed(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_scope_is_its_word() {
        for scope in AdminScope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
        assert_eq!("root".parse::<AdminScope>(), Err(UnknownScope));
    }
}
