//! Word-level differences of two texts, and how their lines are arranged side by side.

use serde::{Deserialize, Serialize};

/// What happened to a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Same,
    Added,
    Removed,
}

/// A piece of text with one change. All pieces that were not added form the old text; all that were not removed form the new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffPiece {
    pub text: String,
    pub change: Change,
}

impl DiffPiece {
    pub fn new(text: impl Into<String>, change: Change) -> Self {
        Self { text: text.into(), change }
    }
}

/// Lines of both texts that are shown side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiffRow {
    /// A line of both texts.
    Same(String),
    /// Lines of the old text and their replacement in the new one; either may be empty.
    Changed { old: Vec<DiffPiece>, new: Vec<DiffPiece> },
}

/// Arranges the pieces in rows for a side-by-side view. Empty lines of both texts are left out.
pub fn rows(pieces: &[DiffPiece]) -> Vec<DiffRow> {
    let mut rows = Rows::default();
    for piece in pieces {
        match piece.change {
            Change::Same => rows.same(&piece.text),
            Change::Removed => rows.old.push(piece.clone()),
            Change::Added => rows.new.push(piece.clone()),
        }
    }
    rows.close();
    rows.closed
}

/// Completed rows, and the current one.
#[derive(Default)]
struct Rows {
    closed: Vec<DiffRow>,
    old: Vec<DiffPiece>,
    new: Vec<DiffPiece>,
}

impl Rows {
    fn same(&mut self, text: &str) {
        // The change consists of whole lines on both sides, so the next line is not part of it.
        if ends_lines(&self.old) && ends_lines(&self.new) {
            self.close();
        }
        for line in text.split_inclusive('\n') {
            let piece = DiffPiece::new(line, Change::Same);
            self.old.push(piece.clone());
            self.new.push(piece);
            if line.ends_with('\n') {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        let (old, new) = (closed(&mut self.old), closed(&mut self.new));
        if old.is_empty() && new.is_empty() {
            return;
        }
        let is_same = old.iter().chain(&new).all(|piece| piece.change == Change::Same);
        self.closed.push(match <[DiffPiece; 1]>::try_from(old) {
            Ok([line]) if is_same => DiffRow::Same(line.text),
            Ok(old) => DiffRow::Changed { old: old.into(), new },
            Err(old) => DiffRow::Changed { old, new },
        });
    }
}

fn ends_lines(pieces: &[DiffPiece]) -> bool {
    pieces.last().is_none_or(|piece| piece.text.ends_with('\n'))
}

/// Takes the pieces of a row without the final line break, unless they contain nothing else.
fn closed(pieces: &mut Vec<DiffPiece>) -> Vec<DiffPiece> {
    let mut pieces = std::mem::take(pieces);
    if let Some(last) = pieces.last_mut()
        && last.text.ends_with('\n')
        && (last.change == Change::Same || last.text.trim() != "")
    {
        last.text.pop();
    }
    pieces.retain(|piece| !piece.text.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(text: &str) -> DiffPiece {
        DiffPiece::new(text, Change::Same)
    }

    fn added(text: &str) -> DiffPiece {
        DiffPiece::new(text, Change::Added)
    }

    fn removed(text: &str) -> DiffPiece {
        DiffPiece::new(text, Change::Removed)
    }

    #[test]
    fn a_changed_line_is_shown_beside_its_replacement() {
        let pieces = [same("Điều 1\n\nNộp trước ngày "), removed("5"), added("10"), same(" hằng tháng.\nĐiều 2\n")];
        let changed = DiffRow::Changed {
            old: vec![same("Nộp trước ngày "), removed("5"), same(" hằng tháng.")],
            new: vec![same("Nộp trước ngày "), added("10"), same(" hằng tháng.")],
        };
        assert_eq!(rows(&pieces), [DiffRow::Same("Điều 1".to_owned()), changed, DiffRow::Same("Điều 2".to_owned())]);
    }

    #[test]
    fn added_and_removed_lines_do_not_change_their_neighbours() {
        let pieces = [same("a\n"), removed("b\n"), added("c\nd\n"), same("e\n"), removed("f\n"), same("g")];
        let expected = [
            DiffRow::Same("a".to_owned()),
            DiffRow::Changed { old: vec![removed("b")], new: vec![added("c\nd")] },
            DiffRow::Same("e".to_owned()),
            DiffRow::Changed { old: vec![removed("f")], new: vec![] },
            DiffRow::Same("g".to_owned()),
        ];
        assert_eq!(rows(&pieces), expected);
    }

    #[test]
    fn a_divided_paragraph_is_shown() {
        let expected = [DiffRow::Changed {
            old: vec![same("Một. "), same("Hai.")],
            new: vec![same("Một. "), added("\n"), same("Hai.")],
        }];
        assert_eq!(rows(&[same("Một. "), added("\n"), same("Hai.\n")]), expected);
    }

    #[test]
    fn nothing_differs_from_nothing() {
        assert_eq!(rows(&[]), []);
        assert_eq!(rows(&[same("\n\n")]), []);
    }
}
