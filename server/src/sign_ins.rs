//! The sign-ins of the sample organisation, for the console and for tests.

use std::fmt::Write;

use anyhow::Result;
use backend::{
    Backend,
    demo::{self, SignIn},
};
use serde_json::json;

/// A table for the console; `None` if the store holds something other than the sample.
pub(crate) async fn table(backend: &Backend) -> Result<Option<String>> {
    Ok(demo::is_loaded(backend).await?.then(|| layout(&demo::sign_ins())))
}

/// JSON for programs. People without a password have no such field.
pub(crate) fn json() -> Result<String> {
    let sign_ins: Vec<_> = demo::sign_ins()
        .into_iter()
        .map(|SignIn { role, name, national_id, password, unit_name }| {
            json!({ "role": role, "name": name, "national_id": national_id, "password": password, "unit": unit_name })
        })
        .chain(demo::newcomers().map(|one| json!({ "role": one.role, "name": one.name, "national_id": one.national_id })))
        .collect();
    Ok(serde_json::to_string_pretty(&sign_ins)? + "\n")
}

fn layout(sign_ins: &[SignIn]) -> String {
    let rows: Vec<[&str; 5]> = [["Role", "National ID", "Password", "Name", "Unit"]]
        .into_iter()
        .chain(sign_ins.iter().map(|one| [one.role, one.national_id, one.password, one.name, one.unit_name.as_str()]))
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let [role, id, password, name] = [0, 1, 2, 3].map(width);
    rows.iter().fold(String::new(), |mut table, row| {
        let _ = writeln!(table, "  {:role$}  {:id$}  {:password$}  {:name$}  {}", row[0], row[1], row[2], row[3], row[4]);
        table
    })
}
