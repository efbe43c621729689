//! Causes in Kubernetes ingress controllers.

pub mod ingress_fake_certificate;
