//! Reads a call with literals as arguments and evaluates it.

use crate::sql::mysql::functions::all::find;
use crate::sql::mysql::functions::definition::{Argument, Call, Memo, Stop};
use crate::sql::mysql::types::Type;
use crate::sql::mysql::value::{Decimal, Value, parse_datetime, parse_time};

/// The type and the value of a call: `lpad('a', 5, 'b')`. An error is `ERROR` and its message.
pub fn evaluate(call: &str) -> (String, String) {
    let mut reader = Reader(call);
    let outcome = reader.value();
    assert!(reader.0.trim().is_empty(), "{call}: {:?} is left", reader.0);
    match outcome {
        Err(message) => ("ERROR".into(), escaped(&message)),
        Ok(argument) => {
            let value = argument.constant.unwrap();
            (argument.data_type.name(), escaped(&shown(&value)))
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t").replace('\0', "\\0")
}

fn shown(value: &Value<'_>) -> String {
    let text = match value {
        Value::Bytes(bytes) => return bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
        other => other.to_text().map_or("NULL".into(), |text| text.into_owned()),
    };
    match value {
        Value::DateTime(..) | Value::Time(..) if text.contains('.') => {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => text,
    }
}

struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn skip(&mut self, what: char) -> bool {
        self.0 = self.0.trim_start();
        let found = self.0.starts_with(what);
        if found {
            self.0 = &self.0[what.len_utf8()..];
        }
        found
    }

    fn quoted(&mut self) -> String {
        assert!(self.skip('\''), "a quote at {:?}", self.0);
        let mut out = String::new();
        let mut rest = self.0.chars();
        loop {
            match rest.next().unwrap() {
                '\'' if rest.as_str().starts_with('\'') => out.extend(rest.next()),
                '\'' => break,
                '\\' => out.push(match rest.next().unwrap() {
                    'n' => '\n',
                    't' => '\t',
                    '0' => '\0',
                    'Z' => '\u{1a}',
                    other => other,
                }),
                other => out.push(other),
            }
        }
        self.0 = rest.as_str();
        out
    }

    fn value(&mut self) -> Result<Argument, String> {
        self.0 = self.0.trim_start();
        let known = |data_type, value| Ok(Argument { data_type, constant: Some(value) });
        if self.0.starts_with('\'') {
            return known(Type::Text, Value::text(self.quoted()));
        }
        if self.0.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.') {
            return Ok(self.number());
        }
        let length = self.0.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(length);
        self.0 = rest;
        if word.eq_ignore_ascii_case("null") {
            return known(Type::Null, Value::Null);
        }
        if !self.0.starts_with('(') {
            let text = self.quoted();
            return match word {
                "x" => {
                    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
                    known(Type::Bytes, Value::Bytes((0..text.len()).step_by(2).map(byte).collect()))
                }
                "json" => known(Type::Json, Value::Json(text.into())),
                "date" => known(Type::Date, Value::Date(parse_datetime(&text).unwrap().0.date())),
                "timestamp" => {
                    let (time, digits) = parse_datetime(&text).unwrap();
                    known(Type::DateTime(digits), Value::DateTime(time, digits))
                }
                "time" => {
                    let (clock, digits) = parse_time(&text).unwrap();
                    known(Type::Time(digits), Value::Time(clock, digits))
                }
                other => panic!("{other} is no literal"),
            };
        }
        let definition = find(word).unwrap_or_else(|| panic!("{word} is no function"));
        let mut arguments = Vec::new();
        self.skip('(');
        while !self.skip(')') {
            arguments.push(self.value()?);
            self.skip(',');
        }
        assert!((definition.least..=definition.most).contains(&arguments.len()), "arguments of {word}");
        let returns = (definition.returns)(&arguments);
        let values: Vec<Value<'static>> = arguments.into_iter().map(|arg| arg.constant.unwrap()).collect();
        let call = Call { name: word, args: &values, returns, memo: &Memo::default() };
        match (definition.eval)(&call) {
            Ok(value) => {
                assert!(fits(&value, returns), "{word} is {value:?}, which is no {returns:?}");
                Ok(Argument { data_type: returns, constant: Some(value) })
            }
            Err(Stop::Null) => Ok(Argument { data_type: returns, constant: Some(Value::Null) }),
            Err(Stop::Error(message)) => Err(message),
        }
    }

    fn number(&mut self) -> Argument {
        let end =
            self.0.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '+' | '.')).unwrap_or(self.0.len());
        let (text, rest) = self.0.split_at(end);
        self.0 = rest;
        let (data_type, value) = if let Ok(number) = text.parse() {
            (Type::Int, Value::Int(number))
        } else if let Ok(number) = text.parse() {
            (Type::UInt, Value::UInt(number))
        } else if text.contains('e') {
            (Type::Double, Value::Double(text.parse().unwrap()))
        } else {
            let decimal = Decimal::parse(text).unwrap();
            (Type::Decimal(decimal.digits().max(decimal.scale()), decimal.scale()), Value::Decimal(decimal))
        };
        Argument { data_type, constant: Some(value) }
    }
}

/// Whether a value is of the type that was announced.
fn fits(value: &Value<'_>, returns: Type) -> bool {
    match (value, returns) {
        (Value::Null, _)
        | (Value::Int(_), Type::Int | Type::Bool)
        | (Value::UInt(_), Type::UInt)
        | (Value::Double(_), Type::Double)
        | (Value::Text(_), Type::Text)
        | (Value::Bytes(_), Type::Bytes)
        | (Value::Json(_), Type::Json)
        | (Value::Date(_), Type::Date) => true,
        (Value::Decimal(decimal), Type::Decimal(precision, scale)) => {
            decimal.scale() == scale && decimal.digits() <= precision
        }
        (Value::DateTime(_, digits), Type::DateTime(wanted)) | (Value::Time(_, digits), Type::Time(wanted)) => {
            *digits == wanted
        }
        _ => false,
    }
}
