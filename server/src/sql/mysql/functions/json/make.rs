//! Functions that make JSON of SQL values.

use std::collections::BTreeMap;

use crate::sql::mysql::functions::definition::{ANY, Call, Definition, Outcome, Stop, some};
use crate::sql::mysql::functions::json::args::shown;
use crate::sql::mysql::functions::json::value::{Json, Key, quoted};
use crate::sql::mysql::functions::returns;
use crate::sql::mysql::functions::text_codes::base64_text;
use crate::sql::mysql::value::{Value, time_text, timestamp_text};

/// The functions of this file.
pub static FUNCTIONS: &[Definition] = &[
    Definition::new("json_array", "json_array(value, …)", (0, ANY), returns::json, array),
    Definition::new("json_object", "json_object(key, value, …)", (0, ANY), returns::json, object),
    Definition::new("json_quote", "json_quote(text)", (1, 1), returns::text, quote),
];

/// The JSON of a value: text is a string, what is JSON already is itself.
pub fn json_of(value: &Value<'_>) -> Result<Json, Stop> {
    /// Digits of a second of times in JSON.
    const DIGITS: u8 = 6;
    Ok(match value {
        Value::Null => Json::Null,
        Value::Int(number) => Json::Int(*number),
        Value::UInt(number) => i64::try_from(*number).map_or(Json::UInt(*number), Json::Int),
        Value::Decimal(decimal) => Json::Decimal(*decimal),
        Value::Double(double) => Json::Double(*double),
        Value::Text(text) => Json::Text(text.clone().into_owned()),
        Value::Json(text) => {
            Json::parse(text).map_err(|fault| Stop::error(format!("Invalid JSON text: {}", fault.what)))?
        }
        Value::DateTime(time, _) => Json::Text(timestamp_text(*time, DIGITS)),
        Value::Time(clock, _) => Json::Text(time_text(*clock, DIGITS)),
        // 252 is the number of BLOB among MySQL's types.
        Value::Bytes(bytes) => Json::Text(format!("base64:type252:{}", base64_text(bytes, false))),
        Value::Date(_) => Json::Text(some(value.to_text())?.into_owned()),
    })
}

fn array(call: &Call<'_>) -> Outcome {
    let items: Result<Vec<Json>, Stop> = call.args.iter().map(json_of).collect();
    shown(call, &Json::Array(items?))
}

fn object(call: &Call<'_>) -> Outcome {
    let mut members = BTreeMap::new();
    for pair in call.args.chunks(2) {
        let [key, value] = pair else {
            return Err(Stop::error("Incorrect parameter count in the call to native function 'json_object'"));
        };
        let key = some(key.to_text())?;
        members.insert(Key(key.into_owned()), json_of(value)?);
    }
    shown(call, &Json::Object(members))
}

fn quote(call: &Call<'_>) -> Outcome {
    let text = call.text(0)?;
    // A control character is six.
    call.allow(text.len().saturating_mul(6))?;
    Ok(Value::text(quoted(&text)))
}
