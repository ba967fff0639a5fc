//! Times written in a form that changes with the hour at most: days and their parts.
//!
//! As `to_char`, which writes the time of every row anew; records that follow on one another mostly
//! are of the same hour.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, StringViewBuilder};
use datafusion::arrow::datatypes::{DataType, TimestampMicrosecondType};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// Times within one such step of UTC, in microseconds, are of one hour in every zone.
const STEP: i64 = 15 * 60 * 1_000_000;

/// A time in microseconds, written as `strftime` would: by day, or by hour.
pub(crate) fn written_time(time: Expr, form: &'static str) -> Expr {
    let function = WrittenTime {
        form,
        signature: Signature::any(1, Volatility::Immutable),
    };
    ScalarUDF::new_from_impl(function).call(vec![time])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct WrittenTime {
    form: &'static str,
    signature: Signature,
}

impl ScalarUDFImpl for WrittenTime {
    fn name(&self) -> &'static str {
        "written_time"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let array = args.args[0].to_array(args.number_rows)?;
        let Some(times) = array.as_primitive_opt::<TimestampMicrosecondType>() else {
            return exec_err!("expected a time in microseconds, got {}", array.data_type());
        };
        let form = Some(self.form);
        let options = FormatOptions::new()
            .with_timestamp_format(form)
            .with_timestamp_tz_format(form);
        let formatter = ArrayFormatter::try_new(&array, &options)?;
        let mut texts = StringViewBuilder::with_capacity(times.len());
        let (mut step, mut text) = (None, String::new());
        for row in 0..times.len() {
            if times.is_null(row) {
                texts.append_null();
                continue;
            }
            let of_row = times.value(row).div_euclid(STEP);
            if step != Some(of_row) {
                text = formatter.value(row).try_to_string()?;
                step = Some(of_row);
            }
            texts.append_value(&text);
        }
        Ok(ColumnarValue::Array(Arc::new(texts.finish())))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use datafusion::arrow::array::TimestampMicrosecondArray;
    use datafusion::arrow::record_batch::RecordBatch;
    use datafusion::functions::expr_fn::to_char;
    use datafusion::logical_expr::lit;
    use datafusion::prelude::{SessionContext, col};

    use super::*;

    /// Over turns of days, zones of half hours, before 1970, and NULL.
    #[tokio::test]
    async fn the_same_as_to_char() {
        let session = SessionContext::new();
        for zone in [
            None,
            Some("UTC"),
            Some("Asia/Kathmandu"),
            Some("America/St_Johns"),
        ] {
            let times =
                (-200..200).map(|number: i64| (number % 7 != 3).then_some(number * 431_000_000));
            let times = times.chain([Some(i64::from(u32::MAX) * 1_000_000), None]);
            let times = TimestampMicrosecondArray::from_iter(times).with_timezone_opt(zone);
            let batch = RecordBatch::try_from_iter([("time", Arc::new(times) as _)]).unwrap();
            for form in ["%Y/%m/%d", "%Y", "%m", "%d", "%H"] {
                let rows = session.read_batch(batch.clone()).unwrap();
                let both = [
                    written_time(col("time"), form),
                    to_char(col("time"), lit(form)),
                ];
                let rows = rows.select(both).unwrap().collect().await.unwrap();
                let ours = rows[0].column(0).as_string_view().iter();
                let theirs = rows[0].column(1).as_string::<i32>().iter();
                assert!(ours.eq(theirs), "{zone:?} {form}");
            }
        }
    }
}
