//! Certificates that were read before ([`Known`]), so that the same bytes are neither digested nor kept
//! once more. Most servers present the same few certificates on every connection.

use crate::provenance::FrameNumber;

/// A certificate as a handshake presented it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// Its DER form.
    pub der: Vec<u8>,
    /// Its digest, as [`super::der::digest`] gives it.
    pub digest: String,
    /// The frames of its message.
    pub frames: Vec<FrameNumber>,
    /// Its place among the certificates of its connection, counted from 0.
    pub nth: usize,
}

/// What is known of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before<'k> {
    /// Its digest.
    pub digest: &'k str,
    /// Whether it was presented in frames before those that were asked about.
    pub is_earlier: bool,
}

/// Who knows certificates.
pub trait Known {
    /// What is known of a certificate that stands in these frames, as the `nth` of its connection.
    fn before(&self, der: &[u8], frames: &[FrameNumber], nth: usize) -> Option<Before<'_>>;
}

/// Who knows none.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Known for Nobody {
    fn before(&self, _: &[u8], _: &[FrameNumber], _: usize) -> Option<Before<'_>> {
        None
    }
}
