//! Datagram TLS (RFC 6347, RFC 9147): whether a datagram begins a handshake of it ([`is_hello`]). It is not
//! read, and that is said.

/// Whether a datagram holds a ClientHello, a ServerHello or a HelloVerifyRequest in clear: a record of type
/// handshake of a version of DTLS, of epoch 0, whose first fragment fits the message it is of.
pub fn is_hello(datagram: &[u8]) -> bool {
    let Some((header, rest)) = datagram.split_at_checked(RECORD_HEADER_BYTES) else { return false };
    let [22, 0xfe, 0xfd..=0xff, 0, 0, _, _, _, _, _, _, high, low] = *header else { return false };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let Some([1..=3, m1, m2, m3, _, _, o1, o2, o3, f1, f2, f3, ..]) = rest.get(..length) else { return false };
    let number = |high: &u8, middle: &u8, low: &u8| u32::from_be_bytes([0, *high, *middle, *low]);
    let (message, offset, fragment) = (number(m1, m2, m3), number(o1, o2, o3), number(f1, f2, f3));
    message > 0 && offset.checked_add(fragment).is_some_and(|end| end <= message)
}

/// Type, version, epoch, sequence number and length (RFC 6347 section 4.1).
const RECORD_HEADER_BYTES: usize = 13;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hellos_of_openssl_and_what_resembles_them() {
        let hello = |change: fn(&mut Vec<u8>)| {
            // record: handshake, DTLS 1.0, epoch 0, number 0, 16 bytes; message: ClientHello of 4 bytes, whole
            let mut bytes = vec![22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16];
            bytes.extend([1, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 4, 0xfe, 0xfd, 7, 7]);
            change(&mut bytes);
            is_hello(&bytes)
        };
        assert!(hello(|_| {}));
        assert!(hello(|bytes| bytes[13] = 2), "a ServerHello");
        assert!(hello(|bytes| bytes[14..17].copy_from_slice(&[0, 1, 0])), "the first fragment of several");
        assert!(!hello(|bytes| bytes[1] = 3), "TLS");
        assert!(!hello(|bytes| bytes[4] = 1), "sealed");
        assert!(!hello(|bytes| bytes[13] = 11), "a Certificate");
        assert!(!hello(|bytes| bytes[24] = 9), "longer than its message");
        assert!(!hello(|bytes| bytes.truncate(20)), "cut");
        assert!(!is_hello(b""));
    }
}
