//! Every sentence of the application, in every language. Made by `build.rs` from `locales/`.

use std::fmt::Display;

use domain::Locale;

include!(concat!(env!("OUT_DIR"), "/text.rs"));

/// Puts values into the places of a template.
fn fill(template: &str, values: &[(&str, &dyn Display)]) -> String {
    use std::fmt::Write;
    let mut filled = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, behind)) = after.split_once('}') else { break };
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
            let _ = write!(filled, "{value}");
        }
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_in_their_places_and_never_read_as_templates() {
        assert_eq!(fill("{a} of {b}, {a}", &[("a", &1), ("b", &"{a}")]), "1 of {a}, 1");
        assert_eq!(fill("no places", &[]), "no places");
    }
}
