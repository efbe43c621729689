//! PEM blocks in any text: [`blocks`] (RFC 7468), tolerant of prefixes and of noise within.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// One block, from its BEGIN line to its END line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The number of the BEGIN line.
    pub first: u32,
    /// The number of the END line, or of the last line that belongs to it.
    pub last: u32,
    /// The DER form, or why there is none.
    pub der: Result<Vec<u8>, String>,
}

/// All certificate blocks of these numbered lines.
pub fn blocks<'t>(lines: impl IntoIterator<Item = (u32, &'t str)>) -> Vec<Block> {
    blocks_of(&["TRUSTED CERTIFICATE", "X509 CERTIFICATE", "CERTIFICATE"], lines)
}

/// All PKCS#7 blocks of these numbered lines: bundles of certificates.
pub fn bundles<'t>(lines: impl IntoIterator<Item = (u32, &'t str)>) -> Vec<Block> {
    blocks_of(&["PKCS7", "CMS", "PKCS #7 SIGNED DATA"], lines)
}

fn blocks_of<'t>(kinds: &[&str], lines: impl IntoIterator<Item = (u32, &'t str)>) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<(u32, String)> = None;
    let mut last = 0;
    for (number, line) in lines {
        if is_mark(line, "BEGIN", kinds) {
            if let Some((first, _)) = open.take() {
                found.push(unterminated(first, last));
            }
            open = Some((number, String::new()));
        } else if is_mark(line, "END", kinds) {
            if let Some((first, text)) = open.take() {
                found.push(Block { first, last: number, der: decode(&text) });
            }
        } else if let Some((_, text)) = &mut open {
            let part = line.trim_start_matches(['>', '|', ' ', '\t']).trim_end();
            if part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=')) {
                text.push_str(part);
            }
        }
        last = number;
    }
    if let Some((first, _)) = open {
        found.push(unterminated(first, last));
    }
    found
}

fn is_mark(line: &str, word: &str, kinds: &[&str]) -> bool {
    let Some(text) = line.trim_end().strip_suffix("-----") else { return false };
    let behind = |kind: &&str| text.strip_suffix(*kind)?.strip_suffix(' ')?.strip_suffix(word);
    kinds.iter().filter_map(behind).any(|rest| rest.ends_with("-----"))
}

fn unterminated(first: u32, last: u32) -> Block {
    Block { first, last, der: Err("the block has no END line".to_owned()) }
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let mut der = GeneralPurpose::new(&alphabet::STANDARD, config).decode(text).map_err(|error| error.to_string())?;
    let length = element_length(&der).ok_or("not a DER element")?;
    if length > der.len() {
        return Err(format!("{length} bytes expected, {} found", der.len()));
    }
    der.truncate(length);
    Ok(der)
}

/// The length of the first DER element with its header; a trusted certificate has more behind it.
fn element_length(der: &[u8]) -> Option<usize> {
    let (tag, length) = (der.first()?, usize::from(*der.get(1)?));
    if *tag != 0x30 {
        return None;
    }
    if length < 0x80 {
        return Some(length + 2);
    }
    let count = length & 0x7f;
    let digits = der.get(2..count.checked_add(2)?).filter(|digits| digits.len() <= 4)?;
    let length = digits.iter().fold(0_usize, |sum, digit| (sum << 8) | usize::from(*digit));
    length.checked_add(count)?.checked_add(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_survive_what_pasting_does() {
        let whole = "-----BEGIN CERTIFICATE-----\nMAMC\nAQE=\n-----END CERTIFICATE-----";
        let cut = "-----BEGIN CERTIFICATE-----\nMAMC";
        for (text, expected) in [
            (whole.to_owned(), vec![(1, 4, true)]),
            (whole.replace('\n', "\n> "), vec![(1, 4, true)]),
            (format!("{cut}\n{whole}"), vec![(1, 2, false), (3, 6, true)]),
            (cut.to_owned(), vec![(1, 2, false)]),
            (whole.replace("MAMC\n", ""), vec![(1, 3, false)]),
        ] {
            let found: Vec<_> =
                blocks((1..).zip(text.lines())).iter().map(|it| (it.first, it.last, it.der.is_ok())).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
