//! What the bytes of a file are as text: UTF-8 with or without its mark, or Latin-1; as it came, so it goes.

/// The mark that some editors begin a file with.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// A text, and how its file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Encoded {
    pub(super) text: String,
    encoding: Encoding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf8WithMark,
    Latin1,
}

impl Encoded {
    /// What a file has.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, String> {
        if bytes.contains(&0) {
            return Err("it has zero bytes, and is no text, or UTF-16; write it as UTF-8".into());
        }
        let (bytes, encoding) = match bytes.strip_prefix(MARK) {
            Some(rest) => (rest, Encoding::Utf8WithMark),
            None => (bytes, Encoding::Utf8),
        };
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Self { text: text.to_owned(), encoding }),
            Err(_) if encoding == Encoding::Utf8 => {
                // Each byte is the character of its number.
                Ok(Self { text: bytes.iter().map(|byte| char::from(*byte)).collect(), encoding: Encoding::Latin1 })
            }
            Err(error) => Err(format!("it is no UTF-8: {error}")),
        }
    }

    /// The bytes of another text of the same file.
    pub(super) fn bytes_of(&self, text: &str) -> Result<Vec<u8>, String> {
        match self.encoding {
            Encoding::Utf8 => Ok(text.as_bytes().to_vec()),
            Encoding::Utf8WithMark => Ok([MARK, text.as_bytes()].concat()),
            Encoding::Latin1 => {
                let byte = |c: char| {
                    u8::try_from(u32::from(c)).map_err(|_| format!("{c:?} is not in Latin-1, which the file is in"))
                };
                text.chars().map(byte).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_as_it_came() {
        for bytes in [&b"a = \xc3\xa4\r\n"[..], b"\xef\xbb\xbfa = 1\n", b"a = \xe4\n", b""] {
            let encoded = Encoded::of(bytes).unwrap();
            assert_eq!(encoded.bytes_of(&encoded.text).unwrap(), bytes);
        }
        let latin = Encoded::of(b"a = \xe4\n").unwrap();
        assert_eq!(latin.bytes_of("a = \u{f6}\n").unwrap(), b"a = \xf6\n");
        assert!(latin.bytes_of("a = \u{20ac}").unwrap_err().contains("not in Latin-1"));
        assert!(Encoded::of(b"a\0=\0").is_err());
    }
}
