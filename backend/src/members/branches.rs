//! Branches to choose from, found by their names.

use domain::{
    folding::fold,
    ids::UnitId,
    members::BranchChoice,
    units::{UnitKind, UnitPath, UnitRef},
};

use crate::units::Tree;

/// As many cards as one looks through on a phone.
pub(super) const CARDS: usize = 10;

/// As many lines as one looks through in a list that unfolds.
pub(super) const LINES: usize = 100;

/// The branches below `scopes` whose own name, or that of a unit above them, has words that start with the words typed; at
/// most so many, and whether there are more.
pub(super) fn choices(
    tree: &Tree,
    scopes: &[&UnitPath],
    typed: &str,
    except: Option<UnitId>,
    most: usize,
) -> (Vec<BranchChoice>, bool) {
    let words = fold(typed);
    let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
    let mut found = Vec::new();
    for scope in scopes {
        for unit in tree.subtree(scope) {
            if unit.kind != UnitKind::Branch || Some(unit.id) == except {
                continue;
            }
            let choice = BranchChoice { id: unit.id, name: unit.name.clone(), place: parent_name(tree, unit) };
            if matches(&words, &choice) {
                if found.len() == most {
                    return (found, true);
                }
                found.push(choice);
            }
        }
    }
    (found, false)
}

/// The units the branch hangs on, the nearest first, without the root that all have in common.
fn parent_name(tree: &Tree, branch: &UnitRef) -> String {
    let mut above: Vec<&str> =
        tree.trail(&branch.path).filter(|unit| unit.id != branch.id).map(|unit| unit.name.as_str()).collect();
    if above.len() > 2 {
        above.remove(0);
    }
    above.reverse();
    above.join(", ")
}

fn matches(words: &[&str], choice: &BranchChoice) -> bool {
    if words.is_empty() {
        return true;
    }
    let name = fold(&format!("{} {}", choice.name, choice.place));
    words.iter().all(|word| name.split([' ', ',']).any(|part| part.starts_with(word)))
}
