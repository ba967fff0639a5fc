//! `hll_count(sketch)`, which Trino calls `cardinality`.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::cast::as_binary_array;
use datafusion::functions_nested::cardinality::cardinality_udf;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
    Volatility,
};

use super::{is_sketch, wrong_types};
use crate::functions::sketch::State;

/// `hll_count(sketch)`.
pub(super) fn hll_count() -> ScalarUDF {
    ScalarUDF::new_from_impl(HllCount {
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

/// `cardinality` of sketches, and of arrays and maps as DataFusion has it.
pub(super) fn cardinality() -> ScalarUDF {
    let of_arrays = cardinality_udf();
    let sketch = |data_type| TypeSignature::Exact(vec![data_type]);
    let signatures = vec![
        sketch(DataType::Binary),
        sketch(DataType::LargeBinary),
        sketch(DataType::BinaryView),
        of_arrays.signature().type_signature.clone(),
    ];
    ScalarUDF::new_from_impl(Cardinality {
        signature: Signature::one_of(signatures, Volatility::Immutable),
        of_arrays,
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct HllCount {
    signature: Signature,
}

impl ScalarUDFImpl for HllCount {
    fn name(&self) -> &'static str {
        "hll_count"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [sketch] if is_sketch(sketch) => Ok(vec![DataType::Binary]),
            _ => Err(wrong_types(self.name(), "a sketch", types)),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        Ok(ColumnarValue::Array(Arc::new(count(&arrays[0])?)))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Cardinality {
    signature: Signature,
    of_arrays: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for Cardinality {
    fn name(&self) -> &'static str {
        "cardinality"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [sketch] if is_sketch(sketch) => Ok(DataType::Int64),
            _ => self.of_arrays.return_type(types),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let data_type = args.args[0].data_type();
        if !is_sketch(&data_type) {
            return self.of_arrays.invoke_with_args(args);
        }
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let sketches = cast(&arrays[0], &DataType::Binary)?;
        Ok(ColumnarValue::Array(Arc::new(count(&sketches)?)))
    }
}

fn count(sketches: &ArrayRef) -> Result<Int64Array> {
    let counts = as_binary_array(sketches)?.iter().map(|state| {
        let state = state.map(State::read).transpose()?;
        Ok(state.map(|state| state.into_sketch().estimate()))
    });
    counts.collect()
}
