use super::*;

#[test]
fn of_the_last_tries_median_and_p95_are_told() {
    let tries = |count: u64| (1..=count).map(|ms| (ms % 10 == 0, Duration::from_millis(ms))).collect();
    assert_eq!(recent(&tries(0)), Recent { tries: 0, failures: 0, median: None, p95: None });
    let one = recent(&tries(1));
    assert_eq!((one.median, one.p95), (Some(Duration::from_millis(1)), Some(Duration::from_millis(1))));
    let hundred = recent(&tries(100));
    assert_eq!((hundred.tries, hundred.failures), (100, 10));
    assert_eq!((hundred.median, hundred.p95), (Some(Duration::from_millis(50)), Some(Duration::from_millis(95))));
}
