//! Typing errors: how one word becomes another by a single letter, and how often that happens.
//!
//! Four kinds make up four fifths of all errors in typed text: a missing letter, an extra letter, a wrong letter, or two swapped
//! letters (F. J. Damerau, "A technique for computer detection and correction of spelling errors", CACM 7, 1964). Most inserted
//! or substituted letters repeat the preceding letter or come from an adjacent key (M. D. Kernighan, K. W. Church, W. A. Gale, "A
//! spelling correction program based on a noisy channel model", COLING 1990).

/// Rows of the keyboard used for Vietnamese. A key is adjacent to its neighbours and to the keys it overlaps in the next row.
const ROWS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// Cost of an error: roughly the negative natural logarithm of its frequency per word.
const USUAL: f64 = 4.0;
const RARE: f64 = 5.5;

/// The cost of reading `typed` as `meant`, both folded; `None` if they are equal or differ by more than one error.
pub(super) fn cost(typed: &str, meant: &str) -> Option<f64> {
    let (typed, meant): (Vec<char>, Vec<char>) = (typed.chars().collect(), meant.chars().collect());
    let same = typed.iter().zip(&meant).take_while(|(a, b)| a == b).count();
    let (left, right) = (&typed[same..], &meant[same..]);
    if left.len() + 1 == right.len() {
        return (left == &right[1..]).then_some(USUAL);
    }
    if left.len() == right.len() + 1 {
        let extra = left[0];
        let near = [same.checked_sub(1).and_then(|at| typed.get(at)), typed.get(same + 1)];
        let is_usual = near.into_iter().flatten().any(|beside| *beside == extra || is_beside(*beside, extra));
        return (&left[1..] == right).then_some(if is_usual { USUAL } else { RARE });
    }
    if left.len() != right.len() || left.is_empty() {
        return None;
    }
    if left[1..] == right[1..] {
        return Some(if is_beside(left[0], right[0]) { USUAL } else { RARE });
    }
    let is_swapped = left.len() > 1 && left[0] == right[1] && left[1] == right[0] && left[2..] == right[2..];
    is_swapped.then_some(USUAL)
}

/// Whether two keys are adjacent.
fn is_beside(a: char, b: char) -> bool {
    let place = |key: char| {
        ROWS.iter().enumerate().find_map(|(row, keys)| keys.chars().position(|other| other == key).map(|column| (row, column)))
    };
    let (Some((row_a, a)), Some((row_b, b))) = (place(a), place(b)) else { return false };
    match row_b.abs_diff(row_a) {
        0 => a.abs_diff(b) == 1,
        // The lower row is shifted half a key to the right.
        1 => {
            let (upper, lower) = if row_a < row_b { (a, b) } else { (b, a) };
            upper == lower || upper == lower + 1
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_slip_is_seen_and_usual_ones_cost_less() {
        for (typed, meant) in [
            ("truog", "truong"),
            ("chog", "chong"),
            ("chuyeen", "chuyen"),
            ("chyuen", "chuyen"),
            ("chuten", "chuyen"),
            ("bap", "bao"),
            ("ngji", "nghi"),
            ("dsng", "dang"),
        ] {
            assert_eq!(cost(typed, meant), Some(USUAL), "{typed} {meant}");
        }
        for (typed, meant) in [("lut", "lu"), ("mang", "tang"), ("chuqyen", "chuyen")] {
            assert_eq!(cost(typed, meant), Some(RARE), "{typed} {meant}");
        }
        for (typed, meant) in [("chyn", "chuyen"), ("huyenc", "chuyen"), ("dang", "dang"), ("", "")] {
            assert_eq!(cost(typed, meant), None, "{typed} {meant}");
        }
    }

    #[test]
    fn keys_touch_those_around_them() {
        for (a, b) in [('a', 's'), ('a', 'q'), ('a', 'w'), ('g', 't'), ('g', 'y'), ('g', 'v'), ('g', 'b'), ('n', 'm'), ('z', 's')]
        {
            assert!(is_beside(a, b) && is_beside(b, a), "{a} {b}");
        }
        for (a, b) in [('a', 'd'), ('a', 'p'), ('q', 'z'), ('đ', 'd'), ('a', 'a')] {
            assert!(!is_beside(a, b), "{a} {b}");
        }
    }

    proptest! {
        #[test]
        fn a_slip_leads_back_as_well(a in "[abs]{0,6}", b in "[abs]{0,6}") {
            prop_assert_eq!(cost(&a, &b).is_some(), cost(&b, &a).is_some());
        }
    }
}
