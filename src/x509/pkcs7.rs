//! The certificates in a PKCS#7 bundle (`.p7b`, `-----BEGIN PKCS7-----`), as they stand in it: [`certificates`].
//!
//! Follows RFC 5652 section 5.1, DER or the BER that OpenSSL writes with definite lengths. Nothing is verified, and the
//! order is the bundle's own, which need not be that of the chain.

/// The DER form of each certificate; `None` when it is no signed data.
pub fn certificates(der: &[u8]) -> Option<Vec<&[u8]>> {
    let (content_info, _) = element(der, SEQUENCE)?;
    let rest = content_info.strip_prefix(SIGNED_DATA)?;
    let (content, _) = element(rest, EXPLICIT_0)?;
    let (signed_data, _) = element(content, SEQUENCE)?;
    let (_, rest) = element(signed_data, INTEGER)?;
    let (_, rest) = element(rest, SET)?;
    let (_, rest) = element(rest, SEQUENCE)?;
    // A bundle of revocation lists alone has no such field.
    let Some((mut set, _)) = element(rest, EXPLICIT_0) else { return Some(Vec::new()) };
    let mut found = Vec::new();
    while let Some((_, behind)) = element(set, SEQUENCE) {
        found.extend(set.get(..set.len().saturating_sub(behind.len())));
        set = behind;
    }
    Some(found)
}

/// The body of the element that begins the bytes, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = if *first == tag { length(rest)? } else { return None };
    rest.split_at_checked(length)
}

/// A definite length (X.690 section 8.1.3), of four bytes at most.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if *first < 0x80 {
        return Some((usize::from(*first), rest));
    }
    let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
    let is_definite = (1..=4).contains(&octets.len());
    let length = octets.iter().fold(0_u32, |length, octet| (length << 8) | u32::from(*octet));
    Some((usize::try_from(length).ok().filter(|_| is_definite)?, rest))
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const EXPLICIT_0: u8 = 0xa0;
/// id-signedData with its tag.
const SIGNED_DATA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&[tag, 0x82][..], &length, body].concat()
    }

    #[test]
    fn bundles_give_their_certificates_and_cut_ones_none() {
        let one = tagged(SEQUENCE, &[7; 300]);
        let two = tagged(SEQUENCE, b"two");
        let set = tagged(EXPLICIT_0, &[one.clone(), two.clone()].concat());
        let fields = [&[INTEGER, 1, 1][..], &[SET, 0], &tagged(SEQUENCE, &[]), &set].concat();
        let content = tagged(EXPLICIT_0, &tagged(SEQUENCE, &fields));
        let bundle = tagged(SEQUENCE, &[SIGNED_DATA, &content].concat());
        assert_eq!(certificates(&bundle), Some(vec![one.as_slice(), two.as_slice()]));
        for cut in 0..bundle.len() {
            assert_eq!(certificates(&bundle[..cut]), None, "cut at {cut}");
        }
        assert_eq!(certificates(&one), None);
        let bare = [&[INTEGER, 1, 1][..], &[SET, 0], &tagged(SEQUENCE, &[])].concat();
        let bare = tagged(SEQUENCE, &[SIGNED_DATA, &tagged(EXPLICIT_0, &tagged(SEQUENCE, &bare))].concat());
        assert_eq!(certificates(&bare), Some(vec![]));
    }
}
