//! JSON read from text.
//!
//! It is read here rather than by `serde_json`, so that numbers are the same to the last digit whatever features other
//! crates ask of that one, and faults are those that MySQL names.

use std::collections::BTreeMap;

use crate::sql::mysql::functions::json::value::{Json, Key};

/// Arrays and objects in each other, as in MySQL; it keeps the stack short as well.
pub const DEPTH_MAX: usize = 100;

/// Why a text is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// In words.
    pub what: &'static str,
    /// At which byte.
    pub at: usize,
}

impl Json {
    /// The document that a text is. Of keys that are the same the last one counts.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let mut reader = Reader { text, at: 0 };
        reader.skip_space();
        if reader.at == text.len() {
            return Err(reader.fault("The document is empty."));
        }
        let value = reader.value(0)?;
        reader.skip_space();
        match reader.at == text.len() {
            true => Ok(value),
            false => Err(reader.fault("The document root must not be followed by other values.")),
        }
    }
}

/// A text and how far it is read.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn fault(&self, what: &'static str) -> Fault {
        Fault { what, at: self.at }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn takes(&mut self, what: &str) -> bool {
        let found = self.rest().starts_with(what);
        if found {
            self.at += what.len();
        }
        found
    }

    fn value(&mut self, depth: usize) -> Result<Json, Fault> {
        if depth >= DEPTH_MAX && matches!(self.peek(), Some(b'{' | b'[')) {
            return Err(self.fault("The JSON document exceeds the maximum depth."));
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Json::Text(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ if self.takes("null") => Ok(Json::Null),
            _ if self.takes("true") => Ok(Json::Bool(true)),
            _ if self.takes("false") => Ok(Json::Bool(false)),
            _ => Err(self.fault("Invalid value.")),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, Fault> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.takes("]") {
            return Ok(Json::Array(items));
        }
        loop {
            self.skip_space();
            items.push(self.value(depth + 1)?);
            self.skip_space();
            if self.takes("]") {
                return Ok(Json::Array(items));
            }
            if !self.takes(",") {
                return Err(self.fault("Missing a comma or ']' after an array element."));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, Fault> {
        self.at += 1;
        let mut members = BTreeMap::new();
        self.skip_space();
        if self.takes("}") {
            return Ok(Json::Object(members));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.fault("Missing a name for object member."));
            }
            let key = self.string()?;
            self.skip_space();
            if !self.takes(":") {
                return Err(self.fault("Missing a colon after a name of object member."));
            }
            self.skip_space();
            members.insert(Key(key), self.value(depth + 1)?);
            self.skip_space();
            if self.takes("}") {
                return Ok(Json::Object(members));
            }
            if !self.takes(",") {
                return Err(self.fault("Missing a comma or '}' after an object member."));
            }
        }
    }

    fn number(&mut self) -> Result<Json, Fault> {
        let start = self.at;
        let digits = |reader: &mut Self| {
            let from = reader.at;
            while matches!(reader.peek(), Some(b'0'..=b'9')) {
                reader.at += 1;
            }
            reader.at - from
        };
        self.takes("-");
        if !self.takes("0") && digits(self) == 0 {
            return Err(self.fault("Invalid value."));
        }
        let mut whole = true;
        if self.takes(".") {
            whole = false;
            if digits(self) == 0 {
                return Err(self.fault("Miss fraction part in number."));
            }
        }
        if self.takes("e") || self.takes("E") {
            whole = false;
            if !self.takes("+") {
                self.takes("-");
            }
            if digits(self) == 0 {
                return Err(self.fault("Miss exponent in number."));
            }
        }
        let text = self.text.get(start..self.at).unwrap_or("");
        if whole && text != "-0" {
            if let Ok(number) = text.parse() {
                return Ok(Json::Int(number));
            }
            if let Ok(number) = text.parse() {
                return Ok(Json::UInt(number));
            }
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Json::Double(number)),
            _ => Err(Fault { what: "Number too big to be stored in double.", at: start }),
        }
    }

    fn string(&mut self) -> Result<String, Fault> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let Some(c) = self.rest().chars().next() else {
                return Err(self.fault("Missing a closing quotation mark in string."));
            };
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(out),
                '\\' => out.push(self.escaped()?),
                c if u32::from(c) < 0x20 => {
                    self.at -= 1;
                    return Err(self.fault("Invalid encoding in string."));
                }
                c => out.push(c),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, Fault> {
        let Some(c) = self.rest().chars().next() else { return Err(self.fault("Invalid escape character in string.")) };
        self.at += c.len_utf8();
        Ok(match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let high = self.four_digits()?;
                // A character of two halves.
                let code = match high {
                    0xd800..0xdc00 if self.takes("\\u") => match self.four_digits()? {
                        low @ 0xdc00..0xe000 => 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00),
                        _ => high,
                    },
                    _ => high,
                };
                char::from_u32(code).ok_or_else(|| self.fault("The surrogate pair in string is invalid."))?
            }
            _ => return Err(self.fault("Invalid escape character in string.")),
        })
    }

    fn four_digits(&mut self) -> Result<u32, Fault> {
        let digits = self.text.get(self.at..self.at + 4).filter(|four| four.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        self.at += 4;
        code.ok_or_else(|| self.fault("Incorrect hex digit after \\u escape in string."))
    }
}
