//! The JSON report, the published contract; one line per value, two blanks deep.

use super::{Renderer, Report, Style};

/// `--format json`.
pub static RENDERER: Renderer = Renderer { id: "json", render };

fn render(report: &Report, _style: &Style) -> String {
    crate::escape::json_pretty(report).unwrap_or_default()
}

/// The JSON Schema of a report.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Report).to_value()
}
