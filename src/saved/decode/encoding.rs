//! Bytes become characters: byte order marks, UTF-16 without one, UTF-8, else Windows-1252. What is
//! no text is refused with what to send instead.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The characters of a text; `Err` says why the bytes are none.
pub fn decode(bytes: &[u8]) -> Result<String, String> {
    for (magic, what) in MAGICS {
        if bytes.starts_with(magic) {
            return Err((*what).to_owned());
        }
    }
    let (text, _, _) = encoding_of(bytes).decode(bytes);
    let odd = text.chars().filter(|c| c.is_control() && !KNOWN_CONTROLS.contains(c)).take(ODD_COUNTED).count();
    if odd > ODD_ALLOWED && odd.saturating_mul(50) > text.len().min(ODD_COUNTED * 50) {
        return Err("binary data".to_owned());
    }
    Ok(read_twice(&text).unwrap_or_else(|| text.into_owned()))
}

/// UTF-8 that a program has taken for Windows-1252 and written as UTF-8 again: every character beyond ASCII goes back
/// to a byte, and the bytes are UTF-8, which text that was meant so never is.
fn read_twice(text: &str) -> Option<String> {
    if text.is_ascii() || !text.contains(LEADS) {
        return None;
    }
    let (bytes, _, is_lossy) = WINDOWS_1252.encode(text);
    if is_lossy {
        return None;
    }
    String::from_utf8(bytes.into_owned()).ok()
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
    } else if std::str::from_utf8(bytes).is_ok() || is_damaged_utf8(bytes) {
        UTF_8
    } else {
        WINDOWS_1252
    }
}

/// UTF-8 with a few broken sequences: a copy that was cut, never the other way round, for in
/// Windows-1252 two high bytes in a row that fit UTF-8 are rare.
fn is_damaged_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        good = good.saturating_add(chunk.valid().bytes().filter(|byte| *byte >= 0xc2).count());
        bad = bad.saturating_add(usize::from(!chunk.invalid().is_empty()));
    }
    good > bad.saturating_mul(4)
}

/// How the first bytes of longer sequences look in Windows-1252.
const LEADS: [char; 4] = ['\u{c2}', '\u{c3}', '\u{c5}', '\u{e2}'];
const KNOWN_CONTROLS: [char; 8] = ['\n', '\r', '\t', '\u{8}', '\u{1b}', '\u{7}', '\u{c}', '\u{0}'];
const ODD_COUNTED: usize = 1000;
const ODD_ALLOWED: usize = 8;

const MAGICS: &[(&[u8], &str)] = &[
    (b"\x89PNG", "a picture; send the text instead"),
    (b"\xff\xd8\xff", "a picture; send the text instead"),
    (b"GIF8", "a picture; send the text instead"),
    (b"BM\0\0", "a picture; send the text instead"),
    (b"%PDF", "a PDF; send the text instead"),
    (b"{\\rtf", "rich text; save it as plain text and send that"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an office document or a mail; send the text in it"),
    (b"Rar!", "an archive; send the files in it"),
    (b"7z\xbc\xaf\x27\x1c", "an archive; send the files in it"),
    (b"\x1f\x9d", "compressed with compress; send it unpacked"),
];
