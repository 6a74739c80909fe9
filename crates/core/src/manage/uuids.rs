use countersign_model::{Rng, Uuid};

/// A new random UUID (version 4): the name of what customers could have brought one along for.
pub(super) fn mint_uuid(rng: &dyn Rng) -> Uuid {
    let mut bytes = [0; 16];
    rng.fill(&mut bytes);
    bytes[6] = (bytes[6] & 0x0F) | 0x40;
    bytes[8] = (bytes[8] & 0x3F) | 0x80;
    Uuid::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use countersign_model::SeededRng;

    use super::*;

    #[test]
    fn a_new_uuid_is_a_random_one_of_the_usual_kind() {
        let rng = SeededRng::new(1);
        let (one, other) = (mint_uuid(&rng), mint_uuid(&rng));
        assert_ne!(one, other);
        assert_eq!((one.get_version_num(), other.to_string().as_bytes()[14]), (4, b'4'));
    }
}
