//! The report as text.

use super::{Renderer, Report, Style};

/// `--format text`.
pub static RENDERER: Renderer = Renderer { id: "text", render };

fn render(_report: &Report, _style: &Style) -> String {
    String::new()
}
