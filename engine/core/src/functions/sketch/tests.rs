#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::hll::Hll;
use super::words::take_apart;
use super::*;

/// The hash of the n-th value.
fn hash(n: u64) -> u64 {
    // splitmix64
    let mut z = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

fn codes_from(values: impl IntoIterator<Item = u64>) -> Vec<Code> {
    values.into_iter().map(|n| code(hash(n))).collect()
}

fn sketch_of(precision: u8, values: impl IntoIterator<Item = u64>) -> Sketch {
    let mut sketch = Sketch::new(precision);
    sketch.insert(&codes_from(values)).unwrap();
    sketch
}

fn state_of(sketch: &mut Sketch) -> Vec<u8> {
    let mut state = Vec::new();
    sketch.write_state(&mut state).unwrap();
    state
}

fn kind_of(sketch: &mut Sketch) -> u8 {
    state_of(sketch)[2]
}

#[test]
fn a_code_has_what_a_sketch_needs_of_a_hash() {
    let edges = [
        0,
        1,
        1 << 38,
        1 << 39,
        u64::MAX,
        u64::MAX >> 25,
        u64::MAX << 39,
    ];
    for hash in edges.into_iter().chain((0..10_000).map(hash)) {
        let bits = code(hash);
        assert!(code::is_code(bits), "{hash:x}");
        assert_eq!(code(code::hash(bits)), bits, "{hash:x}");
        for precision in [4, 11, 14, 18] {
            let rank = |hash: u64| (hash << precision).leading_zeros().min(64 - precision);
            let other = code::hash(bits);
            assert_eq!(
                hash >> (64 - precision),
                other >> (64 - precision),
                "{hash:x}"
            );
            assert_eq!(rank(hash), rank(other), "{hash:x}");
        }
    }
}

#[test]
fn estimates_lie_within_the_error() {
    for (n, allowed) in [
        (0, 0.0),
        (1, 0.0),
        (10, 0.0),
        (100, 0.0),
        (1_000, 0.001),
        (8_000, 0.005),
        // Four standard errors of 0.81 %.
        (10_000, 0.0325),
        (100_000, 0.0325),
        (1_000_000, 0.0325),
    ] {
        for seed in 0..3_u64 {
            let first = seed << 40;
            let estimate = sketch_of(14, first..first + n).estimate();
            let error = (estimate as f64 - n as f64).abs() / (n as f64).max(1.0);
            assert!(error <= allowed, "{n}, seed {seed}: {estimate}");
        }
    }
}

#[test]
fn every_precision_keeps_to_its_error() {
    for precision in [4, 6, 8, 10, 12, 14, 16] {
        let n = 8_u64 << precision;
        let mut squares = 0.0;
        for seed in 0..4_u64 {
            let first = seed << 40;
            let estimate = sketch_of(precision, first..first + n).estimate();
            let error = (estimate as f64 - n as f64) / n as f64;
            squares += error * error;
        }
        let rms = (squares / 4.0_f64).sqrt();
        let standard = 1.04 / f64::from(1_u32 << precision).sqrt();
        assert!(rms < 2.0 * standard, "{precision}: {rms}, {standard}");
    }
}

#[test]
fn sketches_grow_from_codes_to_sparse_to_dense() {
    for precision in 4..=18 {
        let most = most_codes(precision) as u64;
        assert_eq!(kind_of(&mut sketch_of(precision, 0..most)), CODES);
        let beyond = kind_of(&mut sketch_of(precision, 0..most + 1));
        assert_eq!(
            beyond,
            if precision < 7 { DENSE } else { SPARSE },
            "{precision}"
        );
        let many = kind_of(&mut sketch_of(precision, 0..4 << precision));
        assert_eq!(many, DENSE, "{precision}");
    }
}

/// The crate's fields are private, and ours stand beside them: they must be the same.
#[test]
fn a_sketch_that_was_read_has_the_fields_of_the_one_that_was_written() {
    for precision in [4, 9, 14, 18] {
        for n in [1, 300, 3_000, 100_000] {
            let mut crates = hyperloglogplus::HyperLogLogPlus::<u64, hll::Prehashed>::new(
                precision,
                hll::Prehashed,
            )
            .unwrap();
            let mut ours = Hll::new(precision).unwrap();
            for code in codes_from(0..n) {
                hyperloglogplus::HyperLogLog::insert(&mut crates, &code::hash(code));
                ours.insert_all(&[code]).unwrap();
            }
            hyperloglogplus::HyperLogLog::count(&mut crates);
            let contents = ours.contents().unwrap();
            let read = Hll::from_contents(precision, &contents).unwrap();
            assert!(
                take_apart(&crates) == take_apart(read.inner()),
                "{precision}, {n}"
            );
        }
    }
}

#[test]
fn sizes_are_never_less_than_what_is_held() {
    let mut sketch = Sketch::new(14);
    for n in 0..40_000 {
        sketch.insert(&codes_from([n])).unwrap();
        if n % 97 == 0 {
            let state = state_of(&mut sketch).len();
            assert!(sketch.size() >= state, "{n}: {} {state}", sketch.size());
        }
    }
    // Registers and what is around them.
    assert!(sketch.size() < 13_107 + 500, "{}", sketch.size());
}

#[test]
fn states_are_what_the_format_says() {
    let state = |values| state_of(&mut sketch_of(14, values));
    assert_eq!(state(0..0), [1, 14, 0]);
    let one = codes_from([7])[0].to_le_bytes();
    assert_eq!(state(7..8), [[1, 14, 0].as_slice(), &one].concat());
    // Stored sketches must be read by later versions: these bytes may not change.
    let digest = |values| state(values).iter().fold(0xcbf2_9ce4_8422_2325, digest);
    assert_eq!(
        [digest(0..100), digest(0..1_000), digest(0..100_000)],
        [
            0x107b_c315_9ec3_c86a,
            0x082e_4683_c08e_9d11,
            0x2377_5022_2096_cf0d
        ]
    );
}

fn digest(sum: u64, byte: &u8) -> u64 {
    (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
}

#[test]
fn damaged_states_are_refused_in_words() {
    let refused = |state: &[u8]| State::read(state).unwrap_err().message;
    let codes = |codes: &[u32]| {
        let mut state = Vec::new();
        write_codes(14, codes.iter().copied(), &mut state);
        state
    };
    for (state, reason) in [
        (vec![], "3 bytes at least, and this has 0"),
        (b"no".to_vec(), "3 bytes at least, and this has 2"),
        (b"text".to_vec(), "version 116 of the format"),
        (vec![2, 14, 0], "version 2 of the format"),
        (vec![1, 3, 0], "precision is 3"),
        (vec![1, 19, 0], "precision is 19"),
        (vec![1, 14, 3], "kind is 3"),
        (vec![1, 14, 0, 1, 2], "cut off"),
        (codes(&[3, 3]), "not in order"),
        (codes(&[1]), "a code that no value has"),
        (codes(&[2]), "a code that no value has"),
        (codes(&vec![3; 257]), "more codes"),
        (vec![1, 14, 2, 0, 0, 0], "another length"),
        (vec![1, 14, 2, 0, 0, 0, 0], "what no sketch does"),
        (vec![1, 14, 1, 0x80], "what no sketch does"),
        (
            vec![1, 14, 1, 0xff, 0xff, 0xff, 0xff, 0x7f],
            "what no sketch does",
        ),
        (vec![1, 14, 1, 0x82, 0x00], "what no sketch does"),
        (
            [vec![1, 14, 1], vec![2; 13_108]].concat(),
            "what no sketch does",
        ),
        (
            [vec![1, 14, 2], vec![0xff; 13_108]].concat(),
            "what no sketch does",
        ),
    ] {
        let message = refused(&state);
        assert!(message.contains(reason), "{state:?}: {message}");
    }
}

#[test]
fn sketches_of_different_precision_are_not_merged() {
    let mut sketch = sketch_of(14, 0..10);
    let other = state_of(&mut sketch_of(11, 0..10_000));
    let error = sketch.merge(&State::read(&other).unwrap()).unwrap_err();
    assert_eq!(
        error.message,
        "sketches of precision 14 and 11 cannot be merged"
    );
    let mut groups = GroupSketches::new(14);
    assert!(groups.merge(0, State::read(&other).unwrap()).is_err());
}

/// A list of how many values go together, in the order in which they come.
fn splits() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![1_usize..50, 50_usize..3_000], 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// However the same values are ordered, repeated, split and merged: one state, one estimate.
    #[test]
    fn what_is_held_depends_on_the_set_alone(
        precision in prop::sample::select(vec![4_u8, 8, 9, 11, 12, 14, 16]),
        n in prop_oneof![0_u64..40, 200_u64..2_000, 2_000_u64..20_000],
        repeated in 0_u64..500,
        splits in splits(),
        seed in any::<u64>(),
        pairwise in any::<bool>(),
    ) {
        let mut whole = sketch_of(precision, 0..n);
        let mut values: Vec<u64> = (0..n).chain(0..repeated.min(n)).collect();
        values.sort_by_key(|value| hash(value ^ seed));
        let mut parts = Vec::new();
        let mut rest = values.as_slice();
        for length in splits.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (part, after) = rest.split_at((*length).min(rest.len()));
            parts.push(sketch_of(precision, part.iter().copied()));
            rest = after;
        }
        // From left to right, or as a tree, with a state in between each time.
        let mut merged = Sketch::new(precision);
        if pairwise {
            while parts.len() > 1 {
                let mut last = parts.pop().unwrap();
                let state = state_of(&mut last);
                let at = usize::try_from(hash(seed ^ parts.len() as u64)).unwrap() % parts.len();
                parts[at].merge(&State::read(&state).unwrap()).unwrap();
            }
        }
        for mut part in parts {
            let state = state_of(&mut part);
            merged.merge(&State::read(&state).unwrap()).unwrap();
        }
        prop_assert_eq!(merged.estimate(), whole.estimate());
        prop_assert!(state_of(&mut merged) == state_of(&mut whole));
        let read = State::read(&state_of(&mut whole)).map(State::into_sketch);
        prop_assert!(state_of(&mut read.unwrap()) == state_of(&mut whole));
    }

    /// All groups at once give what each gives alone, whatever is taken out in between.
    #[test]
    fn groups_hold_what_sketches_of_their_own_hold(
        precision in prop::sample::select(vec![4_u8, 11, 14]),
        steps in prop::collection::vec((0_usize..6, 0_u64..900, 0_u64..3_000, any::<bool>()), 1..30),
        taken in 0_usize..4,
    ) {
        let mut groups = GroupSketches::new(precision);
        let mut expected: Vec<BTreeSet<u64>> = vec![BTreeSet::new(); 6];
        let check = |groups: &mut GroupSketches, expected: Vec<BTreeSet<u64>>| {
            let mut expected = expected.into_iter();
            groups.take(expected.len(), |group| {
                let mut alone = sketch_of(precision, expected.next().unwrap());
                let mut state = Vec::new();
                match group {
                    Group::Codes(pairs) => write_codes(precision, codes(pairs), &mut state),
                    Group::Sketch(sketch) => sketch.write_state(&mut state)?,
                }
                assert!(state == state_of(&mut alone));
                Ok(())
            })
        };
        for (step, (group, length, first, as_state)) in steps.iter().enumerate() {
            if step == steps.len() / 2 {
                let others = expected.split_off(taken);
                check(&mut groups, expected).unwrap();
                expected = others;
            }
            let group = group % expected.len();
            let values = *first..first + length;
            expected[group].extend(values.clone());
            if *as_state {
                let state = state_of(&mut sketch_of(precision, values));
                groups.merge(group, State::read(&state).unwrap()).unwrap();
            } else {
                for code in codes_from(values) {
                    groups.insert(group, code).unwrap();
                }
            }
        }
        check(&mut groups, expected).unwrap();
        prop_assert_eq!(groups.sketch_bytes(), 0);
    }

    /// Whatever the bytes: words, and never a panic. What is read can be used.
    #[test]
    fn any_bytes_are_a_sketch_or_an_error(
        precision in 4_u8..=18,
        n in 0_u64..6_000,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut state = state_of(&mut sketch_of(precision, 0..n));
        for (at, byte) in damage {
            let at = at.index(state.len());
            state[at] = byte;
        }
        if let Some(cut) = cut {
            state.truncate(cut.index(state.len()));
        }
        if let Ok(read) = State::read(&state) {
            let precision = read.precision();
            let mut sketch = read.into_sketch();
            prop_assert!(sketch.estimate() >= 0);
            let mut other = sketch_of(precision, n..n + 500);
            let again = state_of(&mut sketch);
            prop_assert!(again == state);
            other.merge(&State::read(&again).unwrap()).unwrap();
            sketch.insert(&codes_from(0..500)).unwrap();
            prop_assert!(sketch.estimate() >= 0);
        }
    }
}
