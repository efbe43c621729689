//! The certificate is right. No finding: it names the outcome `ok`.

pub mod certificate_ok;
