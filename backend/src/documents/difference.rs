//! Word difference of two texts: first by lines, then by words within changed lines.

use std::time::{Duration, Instant};

use domain::difference::{Change, DiffPiece};
use similar::{DiffOp, TextDiff, TextDiffConfig};

/// Deadline of the detailed comparison. After it, the rest is reported as whole replaced lines or ranges.
const PATIENCE: Duration = Duration::from_millis(800);

/// Lines are reported as replaced when less than this fraction (1/6) of both is common. Word by word they would be unreadable.
const KINSHIP: usize = 6;

/// What must be removed from `old` and added to it to get `new`. Takes up to a second of CPU: call it on the blocking pool.
pub fn difference(old: &str, new: &str) -> Vec<DiffPiece> {
    let until = Instant::now() + PATIENCE;
    let lines = within(until).diff_lines(old, new);
    let mut pieces = Pieces::default();
    for op in lines.ops() {
        let (gone, come) = (stretch(&lines, op, Side::Old), stretch(&lines, op, Side::New));
        match op {
            DiffOp::Equal { .. } => pieces.same(&gone),
            DiffOp::Delete { .. } | DiffOp::Insert { .. } => pieces.changed(&gone, &come),
            DiffOp::Replace { .. } => words(&gone, &come, until, &mut pieces),
        }
    }
    pieces.finish()
}

fn words(old: &str, new: &str, until: Instant, pieces: &mut Pieces) {
    let words = within(until).diff_unicode_words(old, new);
    let steps: Vec<(String, String)> =
        words.ops().iter().map(|op| (stretch(&words, op, Side::Old), stretch(&words, op, Side::New))).collect();
    let common: usize = steps.iter().filter(|(gone, come)| gone == come).map(|(gone, _)| letters(gone)).sum();
    if common * KINSHIP < letters(old) + letters(new) {
        return pieces.changed(old, new);
    }
    for (gone, come) in steps {
        if gone == come {
            pieces.same(&gone);
        } else {
            pieces.changed(&gone, &come);
        }
    }
}

/// Counts no whitespace, which all texts have in common.
fn letters(text: &str) -> usize {
    text.chars().filter(|letter| !letter.is_whitespace()).count()
}

fn within(until: Instant) -> TextDiffConfig {
    let mut config = TextDiff::configure();
    config.deadline(until);
    config
}

#[derive(Clone, Copy)]
enum Side {
    Old,
    New,
}

/// The text of one operation, on one side.
fn stretch(diff: &TextDiff<'_, '_, str>, op: &DiffOp, side: Side) -> String {
    match side {
        Side::Old => op.old_range().filter_map(|at| diff.old_slice(at)).collect(),
        Side::New => op.new_range().filter_map(|at| diff.new_slice(at)).collect(),
    }
}

/// Finished pieces, and the pending change.
#[derive(Default)]
struct Pieces {
    done: Vec<DiffPiece>,
    removed: String,
    added: String,
    /// A space after the pending change. It joins the change if another one follows, so that two adjacent replaced words are one
    /// change.
    space: String,
}

impl Pieces {
    fn same(&mut self, text: &str) {
        let is_changing = !(self.removed.is_empty() && self.added.is_empty());
        if is_changing && self.space.is_empty() && text.trim().is_empty() && !text.contains('\n') {
            text.clone_into(&mut self.space);
            return;
        }
        self.close();
        match self.done.last_mut() {
            Some(last) if last.change == Change::Same => last.text.push_str(text),
            _ => self.done.push(DiffPiece::new(text, Change::Same)),
        }
    }

    fn changed(&mut self, gone: &str, come: &str) {
        let space = std::mem::take(&mut self.space);
        self.removed.push_str(&space);
        self.removed.push_str(gone);
        self.added.push_str(&space);
        self.added.push_str(come);
    }

    fn close(&mut self) {
        for (text, change) in [
            (std::mem::take(&mut self.removed), Change::Removed),
            (std::mem::take(&mut self.added), Change::Added),
            (std::mem::take(&mut self.space), Change::Same),
        ] {
            if !text.is_empty() {
                self.done.push(DiffPiece { text, change });
            }
        }
    }

    fn finish(mut self) -> Vec<DiffPiece> {
        self.close();
        self.done
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `-removed-` and `+added+`, within the common text.
    fn rendered(old: &str, new: &str) -> String {
        let rendered = |piece: DiffPiece| match piece.change {
            Change::Same => piece.text,
            Change::Added => format!("+{}+", piece.text),
            Change::Removed => format!("-{}-", piece.text),
        };
        difference(old, new).into_iter().map(rendered).collect()
    }

    #[test]
    fn changes_are_reported_by_whole_words() {
        for (old, new, expected) in [
            ("", "", ""),
            ("Nghị quyết", "Nghị quyết", "Nghị quyết"),
            ("", "Mới", "+Mới+"),
            ("Cũ", "", "-Cũ-"),
            ("nộp trước ngày 5 hằng tháng", "nộp trước ngày 10 hằng tháng", "nộp trước ngày -5-+10+ hằng tháng"),
            // A different diacritic makes another word, not an added letter.
            ("các đảng viên của chi bộ", "các đảng viện của chi bộ", "các đảng -viên-+viện+ của chi bộ"),
            // Adjacent replaced words are one change.
            ("giao cho tổ ba cùng làm nhé", "giao cho nhóm hai cùng làm nhé", "giao cho -tổ ba-+nhóm hai+ cùng làm nhé"),
            ("một\nhai\nba\n", "một\nba\n", "một\n-hai\n-ba\n"),
            // Lines with nothing in common are replaced as a whole.
            ("một\nhai ba bốn năm\n", "một\nsáu bảy tám chín\n", "một\n-hai ba bốn năm\n-+sáu bảy tám chín\n+"),
        ] {
            assert_eq!(rendered(old, new), expected);
        }
    }

    proptest! {
        #[test]
        fn both_texts_can_be_put_together_again(old in "([a-c]{1,2}|[ \n]|ệ|<b>){0,40}", new in "([a-c]{1,2}|[ \n]|ệ|<b>){0,40}") {
            let pieces = difference(&old, &new);
            let text = |without: Change| -> String {
                pieces.iter().filter(|piece| piece.change != without).map(|piece| piece.text.as_str()).collect()
            };
            prop_assert_eq!(text(Change::Added), old);
            prop_assert_eq!(text(Change::Removed), new);
            prop_assert!(pieces.iter().all(|piece| !piece.text.is_empty()));
        }
    }

    #[test]
    fn the_longest_texts_are_compared_in_a_bounded_time() {
        let text =
            |step: usize, between: &str| -> String { (0..35_000).map(|n| format!("{}{between}", n * step % 7_919)).collect() };
        for (case, old, new) in [
            ("a single line of the same words in another order", text(7, " "), text(11, " ")),
            ("as many lines", text(7, "\n"), text(11, "\n")),
            ("nothing in common", "một ".repeat(50_000), "hai ".repeat(50_000)),
            ("one word over and over, moved", "a b ".repeat(50_000), "b a a ".repeat(33_333)),
            ("no word at all", "…".repeat(200_000), "‥".repeat(200_000)),
        ] {
            let start = Instant::now();
            let pieces = difference(&old, &new);
            assert!(start.elapsed() < Duration::from_secs(8), "{case}: {:?}", start.elapsed());
            let length: usize = pieces.iter().filter(|piece| piece.change != Change::Removed).map(|piece| piece.text.len()).sum();
            assert_eq!(length, new.len(), "{case}");
        }
    }
}
