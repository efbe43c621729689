//! `aws elbv2`: `describe-load-balancers`, `describe-listeners`, `describe-listener-certificates`.

use super::Shape;
use super::document::Object;
use crate::evidence::Mapping;

/// A load balancer.
pub static LOAD_BALANCER: Shape = Shape {
    id: "elbv2 load balancer",
    is: |object| object.has(&["LoadBalancerArn", "DNSName"]),
    read: |object, _| Some(Mapping::LoadBalancer { domain: object.name("DNSName")?, kind: object.text("Type") }),
};

/// A listener.
pub static LISTENER: Shape = Shape {
    id: "elbv2 listener",
    is: |object| object.has(&["ListenerArn", "Port"]),
    read: |object, _| {
        let certificates = object.list("Certificates").into_iter().filter_map(Object::of);
        Some(Mapping::Listener {
            load_balancer: object.text("LoadBalancerArn"),
            protocol: object.text("Protocol"),
            port: object.number("Port"),
            certificates: certificates.filter_map(|it| it.text("CertificateArn")).collect(),
        })
    },
};

/// An item of `describe-listener-certificates`.
pub static LISTENER_CERTIFICATE: Shape = Shape {
    id: "elbv2 listener certificate",
    is: |object| object.has(&["CertificateArn", "IsDefault"]),
    read: |object, _| {
        Some(Mapping::Listener {
            load_balancer: None,
            protocol: None,
            port: None,
            certificates: object.text("CertificateArn").into_iter().collect(),
        })
    },
};
