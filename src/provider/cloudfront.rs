//! Amazon CloudFront's own host names: what an edge-optimized API Gateway domain name looks like.
//!
//! Source: API Gateway developer guide, "Edge-optimized custom domain names"; the CloudFront
//! developer guide gives `d111111abcdef8.cloudfront.net` as the form.

use crate::name::Name;

/// Whether this is the host name of a distribution, such as `d111111abcdef8.cloudfront.net`.
pub fn is_distribution(name: &Name) -> bool {
    let Some(label) = name.as_str().strip_suffix(".cloudfront.net") else {
        return false;
    };
    label.len() > 1 && label.starts_with('d') && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_label_below_cloudfront_is_a_distribution() {
        for (name, expected) in [
            ("d111111abcdef8.cloudfront.net", true),
            ("dxfocr58kmlsu.cloudfront.net.", true),
            ("cloudfront.net", false),
            ("a.d111111abcdef8.cloudfront.net", false),
            ("d111111abcdef8.cloudfront.net.example.com", false),
        ] {
            assert_eq!(is_distribution(&Name::parse(name).unwrap()), expected, "{name}");
        }
    }
}
