//! `SLEEP(seconds)`: it holds no thread, and ends with its query.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, AsArray, Int64Array};
use arrow::datatypes::{DataType, Float64Type};
use async_trait::async_trait;
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::async_udf::{AsyncScalarUDF, AsyncScalarUDFImpl};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// How long one call sleeps at most; the deadline of the query comes before most often.
const SECONDS_MAX: f64 = 3_600.0;

/// The function, as it is registered.
pub fn function() -> Arc<ScalarUDF> {
    let sleep = Sleep { signature: Signature::exact(vec![DataType::Float64], Volatility::Volatile) };
    Arc::new(AsyncScalarUDF::new(Arc::new(sleep)).into_scalar_udf())
}

#[derive(Debug)]
struct Sleep {
    signature: Signature,
}

impl ScalarUDFImpl for Sleep {
    fn name(&self) -> &str {
        "sleep"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("sleep waits, and is not called where nothing may")
    }
}

#[async_trait]
impl AsyncScalarUDFImpl for Sleep {
    /// One row after the other.
    async fn invoke_async_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let seconds = ColumnarValue::values_to_arrays(&args.args)?;
        for seconds in
            seconds[0].as_primitive::<Float64Type>().iter().cycle().take(rows.max(seconds[0].len())).flatten()
        {
            tokio::time::sleep(Duration::from_secs_f64(seconds.clamp(0.0, SECONDS_MAX))).await;
        }
        Ok(ColumnarValue::Array(Arc::new(Int64Array::from(vec![0; rows]))))
    }
}

impl PartialEq for Sleep {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Sleep {}

impl Hash for Sleep {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}
