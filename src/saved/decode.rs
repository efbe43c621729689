//! Bytes become [`Line`]s: encodings, line ends, terminal controls. Line numbers stay the file's own.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::Line;
use crate::limits::LINE_CHARS_MAX;

/// The lines of a text; `Err` says why the bytes are no text.
pub fn lines(bytes: &[u8]) -> Result<Vec<Line>, String> {
    for (magic, what) in MAGICS {
        if bytes.starts_with(magic) {
            return Err((*what).to_owned());
        }
    }
    let encoding = encoding_of(bytes);
    let (text, _, _) = encoding.decode(bytes);
    let odd = text.chars().filter(|c| c.is_control() && !"\n\r\t\u{8}\u{1b}\u{7}".contains(*c)).take(1000).count();
    if odd > 8 && odd.saturating_mul(50) > text.len() {
        return Err("binary data".to_owned());
    }
    Ok((1..).zip(text.split('\n')).map(|(number, line)| Line { number, text: clean(line) }).collect())
}

fn encoding_of(bytes: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    let head = bytes.get(..4096).unwrap_or(bytes);
    let nuls = |parity: usize| head.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let many = head.len() / 6;
    if head.len() > 3 && nuls(1) > many && nuls(0) == 0 {
        UTF_16LE
    } else if head.len() > 3 && nuls(0) > many && nuls(1) == 0 {
        UTF_16BE
    } else if std::str::from_utf8(bytes).is_ok() {
        UTF_8
    } else {
        WINDOWS_1252
    }
}

/// A line as a terminal would leave it: no escape sequences, backspaces applied, of the parts that
/// carriage returns overwrite the last that is not blank.
fn clean(line: &str) -> String {
    let line = line.strip_suffix('\r').unwrap_or(line);
    let mut text = String::with_capacity(line.len());
    let mut chars = line.chars().take(LINE_CHARS_MAX).peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\u{8}' => {
                text.pop();
            }
            '\u{a0}' | '\u{202f}' => text.push(' '),
            '\u{200b}'..='\u{200d}' | '\u{feff}' | '\u{7}' => {}
            '\u{2018}' | '\u{2019}' => text.push('\''),
            '\u{201c}' | '\u{201d}' => text.push('"'),
            c => text.push(c),
        }
    }
    match text.rsplit('\r').find(|part| !part.trim().is_empty()) {
        Some(part) if text.contains('\r') => part.to_owned(),
        _ => text,
    }
}

/// CSI and OSC sequences (ECMA-48 sections 5.4 and 5.6).
fn skip_escape(chars: &mut std::iter::Peekable<impl Iterator<Item = char>>) {
    match chars.next() {
        Some('[') => {
            for c in chars.by_ref() {
                if ('\u{40}'..='\u{7e}').contains(&c) {
                    break;
                }
            }
        }
        Some(']') => {
            for c in chars.by_ref() {
                if c == '\u{7}' {
                    break;
                }
            }
        }
        _ => {}
    }
}

const MAGICS: &[(&[u8], &str)] = &[
    (b"\x89PNG", "a picture; send the text instead"),
    (b"\xff\xd8\xff", "a picture; send the text instead"),
    (b"%PDF", "a PDF; send the text instead"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an office document; send the text instead"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; send a zip, or the files in it"),
    (b"Rar!\x1a\x07", "a RAR archive; send a zip, or the files in it"),
    (b"\x1f\x9d", "compressed with compress; send it unpacked"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_in_every_encoding() {
        let plain = "a\nb c\n";
        let utf16: Vec<u8> = plain.replace('\n', "\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let with_mark: Vec<u8> = [0xff, 0xfe].into_iter().chain(utf16.clone()).collect();
        for bytes in [plain.as_bytes().to_vec(), plain.replace('\n', "\r\n").into_bytes(), utf16, with_mark] {
            let found: Vec<String> = lines(&bytes).unwrap().into_iter().map(|line| line.text).collect();
            assert_eq!(found, ["a", "b c", ""], "{bytes:?}");
        }
    }

    #[test]
    fn terminals_leave_no_trace() {
        for (line, expected) in [
            ("\u{1b}[1mserver\u{1b}[0m: x", "server: x"),
            ("ax\u{8}b", "ab"),
            ("10%\r20%\r* Trying", "* Trying"),
            ("\u{1b}]0;title\u{7}$ dig", "$ dig"),
        ] {
            assert_eq!(clean(line), expected);
        }
    }
}
