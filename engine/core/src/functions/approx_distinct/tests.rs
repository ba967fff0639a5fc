#![allow(clippy::unwrap_used)]

use datafusion::arrow::array::{Array, AsArray, BooleanArray, Int64Array, StringViewArray};
use datafusion::arrow::compute::{cast, concat, filter};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::cast::as_binary_array;
use datafusion::functions_aggregate::approx_distinct::approx_distinct_udaf;
use datafusion::logical_expr::EmitTo;
use proptest::prelude::*;

use super::*;

#[test]
fn the_precision_is_the_least_that_keeps_to_the_error() {
    for (error, precision) in [
        (0.26, 4),
        (0.1, 7),
        (0.023, 11),
        (0.01, 14),
        (0.008_125, 14),
        (0.008, 15),
        (LEAST_ERROR, 16),
    ] {
        assert_eq!(precision_of("f", error).unwrap(), precision, "{error}");
        let kept = 1.04 / f64::from(1_u32 << precision).sqrt();
        assert!(kept <= error + 1e-9, "{error}: {kept}");
    }
    for error in [0.0, 0.004, 0.27, 1.0, -0.01, f64::NAN, f64::INFINITY] {
        let message = precision_of("f", error).unwrap_err().to_string();
        assert!(message.contains("may be 0.0040625 to 0.26"), "{message}");
    }
}

const GROUPS: usize = 4;

/// A batch: values and the groups of its rows, what is let through, and how it becomes a state.
#[derive(Debug, Clone)]
struct Batch {
    values: ArrayRef,
    groups: Vec<usize>,
    filter: BooleanArray,
    way: Way,
}

#[derive(Debug, Clone, Copy)]
enum Way {
    /// It goes on with the groups of the batches before.
    Update,
    /// It is grouped alone and merged as a state.
    State,
    /// Each row becomes a state.
    Rows,
}

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    let row = (
        prop::option::weighted(0.95, 0_u64..2_000),
        0..GROUPS,
        prop::option::weighted(0.95, prop::bool::weighted(0.8)),
    );
    let way = prop::sample::select(vec![Way::Update, Way::State, Way::Rows]);
    let batch = (prop::collection::vec(row, 1..1_200), way).prop_map(|(rows, way)| {
        let text = |value: u64| format!("10.0.0.{value}");
        let values: StringViewArray = rows.iter().map(|row| row.0.map(text)).collect();
        Batch {
            values: Arc::new(values),
            groups: rows.iter().map(|row| row.1).collect(),
            filter: rows.iter().map(|row| row.2).collect(),
            way,
        }
    });
    prop::collection::vec(batch, 1..6)
}

fn groups_of(aggregate: Aggregate) -> SketchGroupsAccumulator {
    let precision = (aggregate != Aggregate::Merge).then_some(DEFAULT_PRECISION);
    SketchGroupsAccumulator::new(aggregate, precision)
}

/// All batches in one set of groups, each in its own way.
fn grouped(aggregate: Aggregate, batches: &[Batch]) -> SketchGroupsAccumulator {
    let mut all = groups_of(aggregate);
    for batch in batches {
        let Batch {
            values,
            groups,
            filter,
            way,
        } = batch;
        let values = std::slice::from_ref(values);
        match way {
            Way::Update => all
                .update_batch(values, groups, Some(filter), GROUPS)
                .unwrap(),
            Way::State => {
                let mut alone = groups_of(aggregate);
                alone
                    .update_batch(values, groups, Some(filter), GROUPS)
                    .unwrap();
                let states = alone.state(EmitTo::All).unwrap();
                let numbers: Vec<usize> = (0..GROUPS).collect();
                all.merge_batch(&states, &numbers, GROUPS).unwrap();
            }
            Way::Rows => {
                let states = all.convert_to_state(values, Some(filter)).unwrap();
                all.merge_batch(&states, groups, GROUPS).unwrap();
            }
        }
    }
    all
}

/// What the plain accumulator says of one group.
fn alone(aggregate: Aggregate, batches: &[Batch], group: usize) -> ScalarValue {
    let mut accumulator = SketchAccumulator::new(aggregate, Some(DEFAULT_PRECISION));
    for batch in batches {
        let rows = batch.groups.iter().zip(&batch.filter);
        let chosen: BooleanArray = rows
            .map(|(of_row, let_through)| Some(*of_row == group && let_through == Some(true)))
            .collect();
        let values = filter(&batch.values, &chosen).unwrap();
        accumulator.update_batch(&[values]).unwrap();
    }
    accumulator.evaluate().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Groups, states and rows as states give what one accumulator for each group gives.
    #[test]
    fn groups_say_what_each_says_alone(batches in batches(), first in 0..=GROUPS) {
        for aggregate in [Aggregate::Count, Aggregate::Sketch] {
            let mut all = grouped(aggregate, &batches);
            let emitted = all.evaluate(EmitTo::First(first)).unwrap();
            let rest = all.evaluate(EmitTo::All).unwrap();
            prop_assert_eq!((emitted.len(), rest.len()), (first, GROUPS - first));
            let answers = concat(&[emitted.as_ref(), rest.as_ref()]).unwrap();
            for group in 0..GROUPS {
                let answer = ScalarValue::try_from_array(&answers, group).unwrap();
                prop_assert_eq!(answer, alone(aggregate, &batches, group));
            }
        }
    }

    /// Sketches that were made of the batches, merged by `hll_merge`, are those of all values.
    #[test]
    fn sketches_that_are_merged_are_those_of_all(batches in batches()) {
        let mut all = groups_of(Aggregate::Merge);
        let numbers: Vec<usize> = (0..GROUPS).collect();
        let mut sketches = Vec::new();
        for batch in &batches {
            let mut groups = grouped(Aggregate::Sketch, std::slice::from_ref(batch));
            sketches.push(groups.evaluate(EmitTo::All).unwrap());
        }
        for sketch in sketches {
            all.update_batch(&[sketch], &numbers, None, GROUPS).unwrap();
        }
        let merged = all.evaluate(EmitTo::All).unwrap();
        let whole = grouped(Aggregate::Sketch, &batches).evaluate(EmitTo::All).unwrap();
        prop_assert_eq!(&merged, &whole);
    }
}

/// 100,000 groups of three values take little more than their pairs, and give all of it back.
#[test]
fn small_groups_take_little() {
    let mut groups = groups_of(Aggregate::Count);
    let count = 100_000;
    for value in 0..3 {
        for first in (0..count).step_by(8_192) {
            let of_row: Vec<usize> = (first..count.min(first + 8_192)).collect();
            let values: Int64Array = of_row
                .iter()
                .map(|group| Some(group % 77 + value))
                .map(|v| v.map(|v| v as i64))
                .collect();
            groups
                .update_batch(&[Arc::new(values)], &of_row, None, count)
                .unwrap();
        }
    }
    let bytes_per_group = groups.size() / count;
    assert!((24..=36).contains(&bytes_per_group), "{bytes_per_group}");
    let counts = groups.evaluate(EmitTo::All).unwrap();
    let counts = counts.as_primitive::<Int64Type>();
    assert!(counts.values().iter().all(|count| *count == 3));
    assert!(groups.size() < 200_000, "{}", groups.size());
}

fn datafusions_own() -> Box<dyn GroupsAccumulator> {
    let text: FieldRef = Arc::new(Field::new("x", DataType::Utf8View, true));
    approx_distinct_udaf()
        .create_groups_accumulator(AccumulatorArgs {
            return_field: Arc::new(Field::new("n", DataType::UInt64, false)),
            schema: &Schema::new(vec![Arc::clone(&text)]),
            ignore_nulls: false,
            order_bys: &[],
            is_reversed: false,
            name: "n",
            is_distinct: false,
            exprs: &[],
            expr_fields: &[text],
        })
        .unwrap()
}

/// Bytes for each group, bytes of its state, and the sum of the answers.
fn measure(
    mut accumulator: Box<dyn GroupsAccumulator>,
    groups: usize,
    values: usize,
) -> (f64, f64, i64) {
    for value in 0..values {
        for first in (0..groups).step_by(8_192) {
            let of_row: Vec<usize> = (first..groups.min(first + 8_192)).collect();
            let address = |group: &usize| Some(format!("10.{}.{value}.{}", group % 251, group % 7));
            let addresses: StringViewArray = of_row.iter().map(address).collect();
            accumulator
                .update_batch(&[Arc::new(addresses)], &of_row, None, groups)
                .unwrap();
        }
    }
    let size = accumulator.size();
    let states = accumulator.state(EmitTo::All).unwrap();
    let of_row: Vec<usize> = (0..groups).collect();
    accumulator.merge_batch(&states, &of_row, groups).unwrap();
    let answers = accumulator.evaluate(EmitTo::All).unwrap();
    let answers = cast(&answers, &DataType::Int64).unwrap();
    let each = |total: usize| total as f64 / groups as f64;
    (
        each(size),
        each(as_binary_array(&states[0]).unwrap().value_data().len()),
        answers.as_primitive::<Int64Type>().values().iter().sum(),
    )
}

/// `benches/results` has more sizes.
#[test]
fn groups_and_their_states_are_smaller_than_datafusions_own() {
    for (groups, values) in [(100_000, 5), (50, 2_000)] {
        let (size, state, sum) = measure(Box::new(groups_of(Aggregate::Count)), groups, values);
        let (own_size, own_state, _) = measure(datafusions_own(), groups, values);
        // What is gathered and not merged yet takes some 600 KB, whatever the number of groups.
        let gathered = 600_000.0 / groups as f64;
        assert!(
            size - gathered < own_size,
            "{groups}: {size} of {own_size} bytes"
        );
        assert!(state < own_state, "{groups}: {state} of {own_state} bytes");
        let exact = (groups * values) as f64;
        assert!((sum as f64 / exact - 1.0).abs() < 0.005, "{groups}: {sum}");
    }
}
