//! Ids that say what they name: a prefix and a ULID, `ses_01J…`.
//!
//! The low four bits of an id are the partition of its tenant, so that whoever holds an id can find its place.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Mode, Rng, Timestamp};

/// One of sixteen places over which tenants are spread. All keys of a step lie in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Partition(u8);

impl Partition {
    /// How many there are.
    pub const COUNT: u8 = 16;

    /// The partition of a number, by its low four bits.
    #[must_use]
    pub const fn of(number: u128) -> Self {
        Self((number & 0x0F) as u8)
    }

    /// 0 to 15.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Where a tenant lives whose id has these bits: by a fixed hash (FNV-1a) of all of them but the four that say so.
    #[must_use]
    pub fn hashed(bits: u128) -> Self {
        const BASIS: u64 = 0xCBF2_9CE4_8422_2325;
        const PRIME: u64 = 0x0100_0000_01B3;
        let hash = (bits & !0x0F).to_be_bytes().iter().fold(BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME));
        // The low bits of this hash know too little of the first bytes.
        Self::of((hash >> 32).into())
    }
}

/// The text is not an id of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of this kind")]
pub struct InvalidId;

/// Time in the high 48 bits, chance below, the partition in the low four.
fn mint(now: Timestamp, rng: &dyn Rng, partition: Partition) -> u128 {
    let mut bytes = [0_u8; 16];
    rng.fill(&mut bytes[6..]);
    let time = u128::from(u64::try_from(now.millis()).unwrap_or(0)) << 80;
    let chance = u128::from_be_bytes(bytes) & !0x0F;
    time | chance | u128::from(partition.number())
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(u128);

        impl $name {
            /// What its written form starts with.
            pub const PREFIX: &'static str = $prefix;

            /// A new one, sorted by `now`, not to be guessed.
            #[must_use]
            pub fn mint(now: Timestamp, rng: &dyn Rng, partition: Partition) -> Self {
                Self(mint(now, rng, partition))
            }

            /// From its 128 bits.
            #[must_use]
            pub const fn from_bits(bits: u128) -> Self {
                Self(bits)
            }

            /// Its 128 bits.
            #[must_use]
            pub const fn bits(self) -> u128 {
                self.0
            }

            /// Where its tenant lives.
            #[must_use]
            pub const fn partition(self) -> Partition {
                Partition::of(self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($prefix)?;
                fmt::Display::fmt(&ulid::Ulid(self.0), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let written = text.strip_prefix($prefix).ok_or(InvalidId)?;
                let ulid = ulid::Ulid::from_string(written).map_err(|_| InvalidId)?;
                // Other letters of either case may be read as the same bits; an id has one written form.
                if ulid.array_to_str(&mut [0; ulid::ULID_LEN]) == written { Ok(Self(ulid.0)) } else { Err(InvalidId) }
            }
        }
    };
}

id!(
    /// Names a tenant: the owner of keys, services and sessions.
    TenantId, "ten_"
);
id!(
    /// Names a session. Also the step id of the `open` that made it.
    SessionId, "ses_"
);
id!(
    /// Names a message: what is owed to one recipient on one channel.
    MessageId, "msg_"
);

impl MessageId {
    /// As whoever asks or reads a log sees it. Nothing else of an id depends on the mode: it is kept without it.
    #[must_use]
    pub const fn shown(self, mode: Mode) -> ShownMessageId {
        ShownMessageId { id: self, mode }
    }
}

/// A message's id as everybody outside knows it: one of the sandbox says at a glance that nothing left the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownMessageId {
    id: MessageId,
    mode: Mode,
}

impl fmt::Display for ShownMessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mode {
            Mode::Live => fmt::Display::fmt(&self.id, f),
            Mode::Sandbox => write!(f, "{}sandbox_{}", MessageId::PREFIX, ulid::Ulid(self.id.0)),
        }
    }
}
id!(
    /// Names an API key without giving it away.
    KeyId, "key_"
);
id!(
    /// Names one step on a session, so that a repeated call is answered and not done again.
    StepId, "stp_"
);

id!(
    /// A person a tenant keeps: `con_…`.
    ContactId,
    "con_"
);
id!(
    /// Where a tenant's events are posted to: `whe_…`.
    EndpointId,
    "whe_"
);
id!(
    /// One event on its way to one endpoint: `whd_…`.
    DeliveryId,
    "whd_"
);
id!(
    /// A line of a tenant's ledger: `led_…`.
    LedgerId,
    "led_"
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededRng;

    #[test]
    fn a_tenants_partition_is_a_fixed_hash_of_its_id_and_spreads_evenly() {
        // Worked out by hand once: another hash would put new tenants elsewhere than their ids say.
        let fixed: Vec<u8> = [0, 0x10, 1 << 80, u128::MAX].map(|bits| Partition::hashed(bits).number()).into();
        assert_eq!(fixed, [9, 9, 1, 8]);
        let rng = SeededRng::new(1);
        let mut found = [0_u32; Partition::COUNT as usize];
        for minute in 0..1_600 {
            let tenant = crate::Tenant::new("acme", Timestamp::from_millis(1_768_473_900_000 + minute * 60_000), &rng);
            assert_eq!(Partition::hashed(tenant.id.bits()), tenant.id.partition());
            found[usize::from(tenant.id.partition().number())] += 1;
        }
        assert!(found.iter().all(|count| (60..=140).contains(count)), "{found:?}");
    }

    #[test]
    fn an_id_carries_its_partition_through_its_written_form() {
        let rng = SeededRng::new(1);
        for number in 0..Partition::COUNT {
            let partition = Partition::of(u128::from(number));
            let id = SessionId::mint(Timestamp::from_millis(1_768_473_900_000), &rng, partition);
            let written = id.to_string();
            assert!(written.starts_with("ses_01"), "{written}");
            assert_eq!(written.parse::<SessionId>().unwrap().partition(), partition);
        }
    }

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let rng = SeededRng::new(1);
        let earlier = SessionId::mint(Timestamp::from_millis(1_000), &rng, Partition::of(15));
        let later = SessionId::mint(Timestamp::from_millis(1_001), &rng, Partition::of(0));
        assert!(earlier < later && earlier.to_string() < later.to_string());
    }

    #[test]
    fn another_kind_of_id_is_refused() {
        assert_eq!("msg_01ARZ3NDEKTSV4RRFFQ69G5FAV".parse::<SessionId>(), Err(InvalidId));
        assert_eq!("ses_01ARZ3NDEKTSV4RRFFQ69G5FA".parse::<SessionId>(), Err(InvalidId));
        assert_eq!("".parse::<SessionId>(), Err(InvalidId));
    }

    #[test]
    fn a_messages_id_tells_the_sandbox_by_its_look() {
        let id: MessageId = "msg_01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
        assert_eq!(id.shown(Mode::Live).to_string(), id.to_string());
        assert_eq!(id.shown(Mode::Sandbox).to_string(), "msg_sandbox_01ARZ3NDEKTSV4RRFFQ69G5FAV");
    }

    #[test]
    fn an_id_has_one_written_form() {
        assert!("ses_01ARZ3NDEKTSV4RRFFQ69G5FAV".parse::<SessionId>().is_ok());
        for other in ["ses_81ARZ3NDEKTSV4RRFFQ69G5FAV", "ses_01arz3ndektsv4rrffq69g5fav", "ses_O1ARZ3NDEKTSV4RRFFQ69G5FAV"] {
            assert_eq!(other.parse::<SessionId>(), Err(InvalidId), "{other}");
        }
    }
}
