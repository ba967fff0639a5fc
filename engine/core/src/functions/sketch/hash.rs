//! Hashes of values, the same in every process, on every machine and in every version.
//!
//! Sketches are stored and merged with others much later, so the hash is XXH64 with the seed 0, as
//! in the bloom filters of Parquet, and it is taken of what a value means: of integers in 64 bits,
//! of times in nanoseconds, of text as it is. So a column may be of another width, unit or layout in
//! one file than in the next. DataFusion's own hashes promise none of this: its text views hash
//! otherwise than its text, and its hash function may change with any version. What is not
//! [`is_portable`] is left to them all the same, for within a query they will do.

use datafusion::arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal128Type, DurationMicrosecondType,
    DurationMillisecondType, DurationNanosecondType, DurationSecondType, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use datafusion::common::Result;
use datafusion::common::hash_utils::{HLL_RANDOM_STATE, create_hashes};
use twox_hash::XxHash64;

const SEED: u64 = 0;
const MILLISECOND: i64 = 1_000_000;
const SECOND: i64 = 1_000_000_000;

/// Whether values of this type have the same hash everywhere.
pub(crate) fn is_portable(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_portable(values),
        DataType::Float16 => false,
        DataType::Boolean
        | DataType::Null
        | DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Timestamp(..)
        | DataType::Duration(_)
        | DataType::Decimal128(..)
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => true,
        other => other.is_integer() || other.is_floating(),
    }
}

/// The hash of each value of a column; those of NULLs mean nothing.
pub(crate) fn hash_column(array: &ArrayRef, hashes: &mut Vec<u64>) -> Result<()> {
    hashes.clear();
    hashes.reserve(array.len());
    match array.data_type() {
        DataType::Boolean => {
            let values = array.as_boolean().values();
            hashes.extend(values.iter().map(|value| integer(value.into())));
        }
        DataType::Int8 => integers::<Int8Type>(array, 1, hashes),
        DataType::Int16 => integers::<Int16Type>(array, 1, hashes),
        DataType::Int32 => integers::<Int32Type>(array, 1, hashes),
        DataType::Int64 => integers::<Int64Type>(array, 1, hashes),
        DataType::UInt8 => integers::<UInt8Type>(array, 1, hashes),
        DataType::UInt16 => integers::<UInt16Type>(array, 1, hashes),
        DataType::UInt32 => integers::<UInt32Type>(array, 1, hashes),
        DataType::UInt64 => integers::<UInt64Type>(array, 1, hashes),
        DataType::Date32 => integers::<Date32Type>(array, 86_400 * SECOND, hashes),
        DataType::Date64 => integers::<Date64Type>(array, MILLISECOND, hashes),
        DataType::Time32(TimeUnit::Second) => {
            integers::<Time32SecondType>(array, SECOND, hashes);
        }
        DataType::Time32(_) => integers::<Time32MillisecondType>(array, MILLISECOND, hashes),
        DataType::Time64(TimeUnit::Microsecond) => {
            integers::<Time64MicrosecondType>(array, 1_000, hashes);
        }
        DataType::Time64(_) => integers::<Time64NanosecondType>(array, 1, hashes),
        DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => integers::<TimestampSecondType>(array, SECOND, hashes),
            TimeUnit::Millisecond => {
                integers::<TimestampMillisecondType>(array, MILLISECOND, hashes);
            }
            TimeUnit::Microsecond => integers::<TimestampMicrosecondType>(array, 1_000, hashes),
            TimeUnit::Nanosecond => integers::<TimestampNanosecondType>(array, 1, hashes),
        },
        DataType::Duration(unit) => match unit {
            TimeUnit::Second => integers::<DurationSecondType>(array, SECOND, hashes),
            TimeUnit::Millisecond => {
                integers::<DurationMillisecondType>(array, MILLISECOND, hashes);
            }
            TimeUnit::Microsecond => integers::<DurationMicrosecondType>(array, 1_000, hashes),
            TimeUnit::Nanosecond => integers::<DurationNanosecondType>(array, 1, hashes),
        },
        DataType::Float32 => floats::<Float32Type>(array, hashes),
        DataType::Float64 => floats::<Float64Type>(array, hashes),
        DataType::Decimal128(..) => {
            let values = array.as_primitive::<Decimal128Type>().values().iter();
            hashes.extend(values.map(|value| bytes(&value.to_le_bytes())));
        }
        DataType::Utf8 => {
            let array = array.as_string::<i32>();
            hashes.extend((0..array.len()).map(|row| bytes(array.value(row).as_bytes())));
        }
        DataType::LargeUtf8 => {
            let array = array.as_string::<i64>();
            hashes.extend((0..array.len()).map(|row| bytes(array.value(row).as_bytes())));
        }
        DataType::Utf8View => {
            let array = array.as_string_view();
            hashes.extend((0..array.len()).map(|row| bytes(array.value(row).as_bytes())));
        }
        DataType::Binary => {
            let array = array.as_binary::<i32>();
            hashes.extend((0..array.len()).map(|row| bytes(array.value(row))));
        }
        DataType::LargeBinary => {
            let array = array.as_binary::<i64>();
            hashes.extend((0..array.len()).map(|row| bytes(array.value(row))));
        }
        DataType::BinaryView => {
            let array = array.as_binary_view();
            hashes.extend((0..array.len()).map(|row| bytes(array.value(row))));
        }
        DataType::FixedSizeBinary(_) => {
            let array = array.as_fixed_size_binary();
            hashes.extend((0..array.len()).map(|row| bytes(array.value(row))));
        }
        DataType::Dictionary(_, values) => return hash_column(&cast(array, values)?, hashes),
        _ => {
            hashes.resize(array.len(), 0);
            create_hashes([array], &HLL_RANDOM_STATE, hashes)?;
        }
    }
    Ok(())
}

fn integers<T>(array: &ArrayRef, factor: i64, hashes: &mut Vec<u64>)
where
    T: ArrowPrimitiveType<Native: Into<i128>>,
{
    let values = array.as_primitive::<T>().values().iter();
    hashes.extend(values.map(|&value| {
        let value: i128 = value.into();
        // Times beyond the range of nanoseconds wrap around, and still differ.
        integer((value as i64).wrapping_mul(factor))
    }));
}

fn floats<T>(array: &ArrayRef, hashes: &mut Vec<u64>)
where
    T: ArrowPrimitiveType<Native: Into<f64>>,
{
    let values = array.as_primitive::<T>().values().iter();
    hashes.extend(values.map(|&value| {
        let value: f64 = value.into();
        // One zero, and one that is no number.
        let value = if value == 0.0 { 0.0 } else { value };
        let value = if value.is_nan() { f64::NAN } else { value };
        bytes(&value.to_le_bytes())
    }));
}

#[inline]
fn integer(value: i64) -> u64 {
    bytes(&value.to_le_bytes())
}

#[inline]
fn bytes(bytes: &[u8]) -> u64 {
    XxHash64::oneshot(SEED, bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use datafusion::arrow::array::{
        Float64Array, Int64Array, StringArray, StringViewArray, TimestampSecondArray,
    };

    use super::*;

    fn hashes(array: &ArrayRef) -> Vec<u64> {
        let mut hashes = vec![1, 2, 3];
        hash_column(array, &mut hashes).unwrap();
        hashes
    }

    fn same_as(array: &ArrayRef, types: &[DataType]) {
        for data_type in types {
            let other = cast(array, data_type).unwrap();
            assert_eq!(hashes(array), hashes(&other), "{data_type}");
            assert!(is_portable(data_type), "{data_type}");
        }
    }

    #[test]
    fn what_means_the_same_hashes_alike() {
        use DataType::{
            Binary, BinaryView, Int8, Int16, Int32, LargeBinary, LargeUtf8, UInt8, UInt64, Utf8View,
        };
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![0, 1, 77]));
        same_as(&numbers, &[Int8, Int16, Int32, UInt8, UInt64]);
        let longer = "a text that is too long to stand in its view";
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["", "10.0.0.1", longer]));
        let dictionary = DataType::Dictionary(Box::new(Int8), Box::new(DataType::Utf8));
        same_as(
            &texts,
            &[
                LargeUtf8,
                Utf8View,
                Binary,
                LargeBinary,
                BinaryView,
                dictionary,
            ],
        );
        let times: ArrayRef = Arc::new(TimestampSecondArray::from(vec![0, 1_700_000_000]));
        let units = [
            TimeUnit::Millisecond,
            TimeUnit::Microsecond,
            TimeUnit::Nanosecond,
        ];
        same_as(&times, &units.map(|unit| DataType::Timestamp(unit, None)));
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![0.5, -2.0, f64::NAN]));
        same_as(&floats, &[DataType::Float32]);
        let zeros: ArrayRef = Arc::new(Float64Array::from(vec![0.0, -0.0]));
        assert_eq!(hashes(&zeros)[0], hashes(&zeros)[1]);
    }

    /// Sketches are stored: these may not change.
    #[test]
    fn hashes_are_those_of_xxh64() {
        let texts: ArrayRef = Arc::new(StringViewArray::from(vec!["", "a", "abc"]));
        assert_eq!(
            hashes(&texts),
            [
                0xef46_db37_51d8_e999,
                0xd24e_c4f1_a98c_6e5b,
                0x44bc_2cf5_ad77_0999
            ]
        );
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![0]));
        let bytes: ArrayRef = Arc::new(StringArray::from(vec!["\0\0\0\0\0\0\0\0"]));
        assert_eq!(hashes(&numbers), hashes(&bytes));
    }

    #[test]
    fn what_is_nested_hashes_within_the_process_only() {
        let numbers = Int64Array::from(vec![1, 2, 1]);
        let data_type = DataType::new_list(DataType::Int64, true);
        let lists = cast(&(Arc::new(numbers) as ArrayRef), &data_type).unwrap();
        assert!(!is_portable(&data_type));
        let hashes = hashes(&lists);
        assert!(
            hashes[0] == hashes[2] && hashes[0] != hashes[1],
            "{hashes:?}"
        );
    }
}
