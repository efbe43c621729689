//! Elastic Load Balancing's own host names.
//!
//! Source: Elastic Load Balancing user guides: `NAME-ID.REGION.elb.amazonaws.com` for application
//! and classic balancers, `NAME-ID.elb.REGION.amazonaws.com` for network balancers.

use crate::name::Name;

/// Whether this is the DNS name of a load balancer.
pub fn is_balancer(name: &Name) -> bool {
    let labels: Vec<&str> = name.labels().collect();
    let Some(at) = labels.iter().position(|label| *label == "elb") else {
        return false;
    };
    let suffix = labels.get(at + 1..).unwrap_or_default();
    let is_aws = |rest: &[&str]| matches!(rest, ["amazonaws", "com"] | ["amazonaws", "com", "cn"]);
    let is_region = |label: &&str| label.contains('-') && label.ends_with(|c: char| c.is_ascii_digit());
    let network = suffix.split_first().is_some_and(|(region, rest)| is_region(region) && is_aws(rest));
    let classic = is_aws(suffix) && at >= 2 && labels.get(at - 1).is_some_and(is_region);
    at >= 1 && (network || classic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balancers_are_known_by_their_shape() {
        for (name, expected) in [
            ("my-nlb-0123456789abcdef.elb.us-east-1.amazonaws.com", true),
            ("web-1234567890.us-east-1.elb.amazonaws.com", true),
            ("web-1234567890.cn-north-1.elb.amazonaws.com.cn", true),
            ("elb.us-east-1.amazonaws.com", false),
            ("web.elb.example.com", false),
            ("web-1234567890.us-east-1.elb.amazonaws.com.example.com", false),
        ] {
            assert_eq!(is_balancer(&Name::parse(name).unwrap()), expected, "{name}");
        }
    }
}
