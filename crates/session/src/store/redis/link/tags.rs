//! Where the keys of a partition lie.

use countersign_model::Partition;

/// What every key of a partition starts with. Redis Cluster places a key by what stands between the braces, so that all keys of a step
/// lie in one slot; each tag falls into the middle of its sixteenth of the 16384 slots, so that nodes that share the slots equally share
/// the partitions equally.
const TAGS: [&str; Partition::COUNT as usize] = [
    "{p00pp}", "{p01qp}", "{p02rp}", "{p03sp}", "{p04tp}", "{p05up}", "{p06vp}", "{p07wp}", "{p08ht}", "{p09it}", "{p10uz}",
    "{p11tz}", "{p12fx}", "{p13gx}", "{p14qz}", "{p15pz}",
];

/// The hash tag of a partition, braces included.
pub(crate) const fn tag(partition: Partition) -> &'static str {
    TAGS[partition.number() as usize]
}

/// All partitions, in order.
pub(crate) fn partitions() -> impl Iterator<Item = Partition> {
    (0..Partition::COUNT).map(|number| Partition::of(u128::from(number)))
}

/// The slot of a partition's keys.
pub(super) fn slot(partition: Partition) -> u16 {
    // CRC-16/XMODEM, as the cluster specification has it.
    let tag = tag(partition).as_bytes();
    let crc = tag[1..tag.len() - 1].iter().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 })
    });
    crc % 16_384
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tags_fall_into_sixteen_equal_ranges_of_slots() {
        for partition in partitions() {
            assert_eq!(slot(partition) / 1024, u16::from(partition.number()), "{}", tag(partition));
        }
    }

    #[test]
    fn the_slot_is_the_one_that_redis_counts() {
        // What `CLUSTER KEYSLOT {p07wp}` answers.
        assert_eq!(slot(Partition::of(7)), 7683);
    }
}
