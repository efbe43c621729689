//! Causes in the parameters of TLS, and what their API Gateway forms share with them: [`parameters`],
//! [`client_certificate`].

pub mod client_certificate;
pub mod client_certificate_required;
pub mod parameters;
pub mod parameters_refused;
pub mod session_resumption;
