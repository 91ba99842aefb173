//! The text of some bytes: UTF-8 with or without its mark, or UTF-16; without what terminals make colours of.

use unum_proto::model::Invalid;

/// The text, whoever wrote it.
pub(super) fn text(bytes: &[u8]) -> Result<String, Invalid> {
    let text = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest)?,
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes)?,
        // Without a mark: every other byte of what most people write is 0.
        [first, 0, ..] if *first != 0 => utf16(bytes, u16::from_le_bytes)?,
        [0, second, ..] if *second != 0 => utf16(bytes, u16::from_be_bytes)?,
        _ => utf8(bytes)?,
    };
    Ok(without_count(without_escapes(text)))
}

/// Without the `(3 rows)` that psql ends with.
fn without_count(text: String) -> String {
    let trimmed = text.trim_end();
    let last = trimmed.rsplit('\n').next().unwrap_or_default();
    let inside = last.strip_prefix('(').and_then(|rest| rest.strip_suffix(" rows)").or(rest.strip_suffix(" row)")));
    match inside.is_some_and(|count| !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit())) {
        true => trimmed[..trimmed.len() - last.len()].to_owned(),
        false => text,
    }
}

fn utf8(bytes: &[u8]) -> Result<String, Invalid> {
    let remedy = "convert it, for example by iconv -f latin1 -t utf-8";
    String::from_utf8(bytes.to_vec()).map_err(|e| {
        let line = bytes[..e.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        Invalid::new(format!("line {line} is not UTF-8"), remedy)
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Invalid> {
    let broken = || Invalid::new("the text begins as UTF-16 and is not", "write it as UTF-8");
    if !bytes.len().is_multiple_of(2) {
        return Err(broken());
    }
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    String::from_utf16(&units).map_err(|_| broken())
}

/// Without `ESC [ … letter`, as `docker stats` and what thinks that it writes to a terminal has it.
fn without_escapes(text: String) -> String {
    if !text.contains('\u{1b}') {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' && rest.next_if_eq(&'[').is_some() {
            while rest.next_if(|c| !c.is_ascii_alphabetic()).is_some() {}
            rest.next();
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf8_and_utf16_are_read_with_and_without_their_marks() {
        let utf16 = |text: &str, mark: bool, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
            let mark = mark.then_some('\u{feff}');
            mark.into_iter().chain(text.chars()).collect::<String>().encode_utf16().flat_map(unit).collect()
        };
        for bytes in [
            b"a,\xc3\xa4\n".to_vec(),
            b"\xef\xbb\xbfa,\xc3\xa4\n".to_vec(),
            utf16("a,ä\n", true, u16::to_le_bytes),
            utf16("a,ä\n", true, u16::to_be_bytes),
            utf16("a,ä\n", false, u16::to_le_bytes),
            utf16("a,ä\n", false, u16::to_be_bytes),
            b"\x1b[2J\x1b[Ha,\x1b[1;31m\xc3\xa4\x1b[0m\n".to_vec(),
        ] {
            assert_eq!(text(&bytes).unwrap(), "a,ä\n", "{bytes:?}");
        }
        assert!(text(b"a\nb\xe4\n").unwrap_err().to_string().contains("line 2 is not UTF-8"));
        assert!(text(b"\xff\xfea").is_err());
    }
}
