//! Search of branches by name, for forms.

use domain::{
    folding::fold,
    ids::UnitId,
    members::BranchChoice,
    units::{UnitPath, UnitRef},
};

use crate::units::Tree;

/// Maximum number of choices on a form for phones.
pub(super) const CARDS: usize = 10;

/// Maximum number of choices in a drop-down list.
pub(super) const LINES: usize = 100;

/// The branches below `scopes` whose own name, or that of a unit above them, has words that begin with the typed words. Returns
/// at most `most` branches, and whether there are more.
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
            if !unit.kind.holds_members() || Some(unit.id) == except {
                continue;
            }
            let (name, place) = (unit.name.clone(), parent_name(tree, unit));
            let choice = BranchChoice { id: unit.id, name, place, phase: tree.phase(&unit.path) };
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

/// Names of the units above the branch, the nearest first, without the root.
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
