//! The certificates of a Certificate message, in both of its forms, and of a CompressedCertificate:
//! their DER bytes, in wire order.
//!
//! TLS 1.2 sends a list (RFC 5246 section 7.4.2); TLS 1.3 a context before it and extensions behind
//! each certificate (RFC 8446 section 4.4.2). Which one it is shows in the lengths. What follows a
//! certificate that is not whole is lost, and that is said.

use std::io::Read;

use crate::limits::{CHAIN_CERTIFICATES_MAX, HANDSHAKE_MESSAGE_BYTES_MAX};

/// The certificates of the body of a Certificate message, and why some are missing.
pub(super) fn read(body: &[u8]) -> (Vec<Vec<u8>>, Option<String>) {
    match body.split_first() {
        Some((context, rest)) if is_tls13(body) => {
            let list = rest.get(usize::from(*context).saturating_add(LENGTH_BYTES)..);
            list_of(list.unwrap_or_default(), true)
        }
        _ => list_of(body.get(LENGTH_BYTES..).unwrap_or_default(), false),
    }
}

/// In TLS 1.2 the list has the length that stands in the first three bytes.
fn is_tls13(body: &[u8]) -> bool {
    let is_tls12 = length(body) == Some(body.len().saturating_sub(LENGTH_BYTES));
    let context = body.first().map_or(0, |context| usize::from(*context));
    let list = body.get(context.saturating_add(1)..).unwrap_or_default();
    !is_tls12 && length(list) == Some(list.len().saturating_sub(LENGTH_BYTES))
}

fn list_of(mut rest: &[u8], has_extensions: bool) -> (Vec<Vec<u8>>, Option<String>) {
    let mut chain = Vec::new();
    while !rest.is_empty() {
        if chain.len() >= CHAIN_CERTIFICATES_MAX {
            return (chain, Some(format!("more than {CHAIN_CERTIFICATES_MAX} certificates")));
        }
        let Some((der, tail)) = one(rest, has_extensions) else {
            let why = format!("certificate {} is not whole", chain.len().saturating_add(1));
            return (chain, Some(why));
        };
        chain.push(der.to_vec());
        rest = tail;
    }
    (chain, None)
}

fn one(bytes: &[u8], has_extensions: bool) -> Option<(&[u8], &[u8])> {
    let (der, rest) = bytes.get(LENGTH_BYTES..)?.split_at_checked(length(bytes)?)?;
    if !has_extensions {
        return Some((der, rest));
    }
    let [high, low] = <[u8; 2]>::try_from(rest.get(..2)?).ok()?;
    let extensions = usize::from(u16::from_be_bytes([high, low]));
    Some((der, rest.get(2..)?.get(extensions..)?))
}

fn length(bytes: &[u8]) -> Option<usize> {
    let [high, middle, low] = <[u8; LENGTH_BYTES]>::try_from(bytes.get(..LENGTH_BYTES)?).ok()?;
    usize::try_from(u32::from_be_bytes([0, high, middle, low])).ok()
}

/// The body of the Certificate message inside a CompressedCertificate (RFC 8879 section 4). Never
/// more than a message can be.
pub(super) fn decompress(body: &[u8]) -> Result<Vec<u8>, String> {
    let parts = body.split_at_checked(2).and_then(|(algorithm, rest)| {
        let algorithm = u16::from_be_bytes(<[u8; 2]>::try_from(algorithm).ok()?);
        let promised = length(rest)?;
        let rest = rest.get(LENGTH_BYTES..)?;
        Some((algorithm, promised, rest.get(LENGTH_BYTES..)?.get(..length(rest)?)?))
    });
    let Some((algorithm, promised, sealed)) = parts else {
        return Err("a CompressedCertificate that is not whole".to_owned());
    };
    if promised > HANDSHAKE_MESSAGE_BYTES_MAX {
        return Err(format!("a CompressedCertificate that claims to hold {promised} bytes"));
    }
    let limit = u64::try_from(promised).unwrap_or(u64::MAX).saturating_add(1);
    let mut out = Vec::new();
    let read = match algorithm {
        1 => flate2::read::ZlibDecoder::new(sealed).take(limit).read_to_end(&mut out),
        2 => brotli_decompressor::Decompressor::new(sealed, BUFFER_BYTES).take(limit).read_to_end(&mut out),
        3 => ruzstd::decoding::StreamingDecoder::new(sealed)
            .map_err(std::io::Error::other)
            .and_then(|decoder| decoder.take(limit).read_to_end(&mut out)),
        other => return Err(format!("a CompressedCertificate of the unknown algorithm {other}")),
    };
    if let Err(error) = read {
        return Err(format!("a CompressedCertificate that cannot be decompressed: {error}"));
    }
    if out.len() != promised {
        return Err(format!("a CompressedCertificate that claims {promised} bytes and holds other than that"));
    }
    Ok(out)
}

const LENGTH_BYTES: usize = 3;
const BUFFER_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn u24(length: usize) -> [u8; 3] {
        let [.., a, b, c] = length.to_be_bytes();
        [a, b, c]
    }

    fn message(chain: &[&[u8]], is_tls13: bool) -> Vec<u8> {
        let mut list = Vec::new();
        for der in chain {
            list.extend(u24(der.len()));
            list.extend_from_slice(der);
            if is_tls13 {
                list.extend([0, 3, 9, 9, 9]);
            }
        }
        let mut body = if is_tls13 { vec![0] } else { Vec::new() };
        body.extend(u24(list.len()));
        body.extend(list);
        body
    }

    #[test]
    fn both_forms_are_read() {
        let long = vec![7; 70_000];
        let chains: [&[&[u8]]; 4] = [&[], &[b"leaf"], &[b"leaf", b"issuer", b""], &[&long, b"issuer"]];
        for chain in chains {
            for is_tls13 in [false, true] {
                let body = message(chain, is_tls13);
                assert_eq!(read(&body), (chain.iter().map(|der| der.to_vec()).collect(), None), "{is_tls13}");
            }
        }
    }

    #[test]
    fn a_cut_costs_what_follows_and_is_said() {
        let body = message(&[b"leaf", b"issuer"], false);
        let (chain, why) = read(&body[..body.len() - 2]);
        assert_eq!((chain.len(), why.as_deref()), (1, Some("certificate 2 is not whole")));
        let many: Vec<&[u8]> = vec![b"x"; CHAIN_CERTIFICATES_MAX + 1];
        assert_eq!(read(&message(&many, true)).0.len(), CHAIN_CERTIFICATES_MAX);
    }

    fn compressed(algorithm: u16, promised: usize, bytes: &[u8]) -> Vec<u8> {
        let mut body = algorithm.to_be_bytes().to_vec();
        body.extend(u24(promised));
        body.extend(u24(bytes.len()));
        body.extend_from_slice(bytes);
        body
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn compressed_certificates_are_bounded() {
        let clear = message(&[b"leaf"], true);
        let fastest = ruzstd::encoding::CompressionLevel::Fastest;
        let zstd = ruzstd::encoding::compress_to_vec(clear.as_slice(), fastest);
        // An uncompressed meta-block (RFC 7932 section 9.2) with an empty last one behind it.
        let length = u32::try_from(clear.len() - 1).unwrap();
        let header = (u32::from(true) << 20) | (length << 4);
        let mut brotli = header.to_le_bytes()[..3].to_vec();
        brotli.extend_from_slice(&clear);
        brotli.push(3);
        for (algorithm, sealed) in [(1, zlib(&clear)), (2, brotli), (3, zstd)] {
            let found = decompress(&compressed(algorithm, clear.len(), &sealed));
            assert_eq!(found, Ok(clear.clone()), "algorithm {algorithm}");
            assert!(decompress(&compressed(algorithm, clear.len() + 1, &sealed)).is_err());
            assert!(decompress(&compressed(algorithm, clear.len() - 1, &sealed)).is_err());
            assert!(decompress(&compressed(algorithm, clear.len(), &sealed[..sealed.len() / 2])).is_err());
        }
        let bomb = zlib(&vec![0; 64 << 20]);
        for promised in [100, HANDSHAKE_MESSAGE_BYTES_MAX, HANDSHAKE_MESSAGE_BYTES_MAX + 1] {
            assert!(decompress(&compressed(1, promised, &bomb)).is_err(), "{promised}");
        }
        assert!(decompress(&compressed(4, 1, b"x")).is_err());
        for cut in 0..8 {
            assert!(decompress(&compressed(1, 4, &zlib(b"abcd"))[..cut]).is_err());
        }
    }
}
