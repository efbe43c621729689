//! Causes in hosting panels, distributions and web servers as they are installed.

pub mod default_certificate;
