//! How two texts differ, word by word, and which of their lines stand beside each other.

use serde::{Deserialize, Serialize};

/// What became of a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Same,
    Added,
    Removed,
}

/// A stretch of text with one fate. All that are not added make the old text, all that are not removed the new one.
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

/// Lines of both texts that belong beside each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiffRow {
    /// One line that both have.
    Same(String),
    /// Lines of the old text, and what stands in their place in the new one; one of the two may be empty.
    Changed { old: Vec<DiffPiece>, new: Vec<DiffPiece> },
}

/// Arranges the pieces in rows, as they are read side by side. Empty lines that both texts have are left out.
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

/// Rows so far, and the one at hand.
#[derive(Default)]
struct Rows {
    closed: Vec<DiffRow>,
    old: Vec<DiffPiece>,
    new: Vec<DiffPiece>,
}

impl Rows {
    fn same(&mut self, text: &str) {
        // What was changed is whole lines on both sides: the next line is not theirs.
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

/// Takes the pieces of a row without the line break at its end, unless there is nothing else in them.
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
    fn lines_stand_beside_what_became_of_them() {
        let pieces = [same("Điều 1\n\nNộp trước ngày "), removed("5"), added("10"), same(" hằng tháng.\nĐiều 2\n")];
        let changed = DiffRow::Changed {
            old: vec![same("Nộp trước ngày "), removed("5"), same(" hằng tháng.")],
            new: vec![same("Nộp trước ngày "), added("10"), same(" hằng tháng.")],
        };
        assert_eq!(rows(&pieces), [DiffRow::Same("Điều 1".to_owned()), changed, DiffRow::Same("Điều 2".to_owned())]);
    }

    #[test]
    fn whole_lines_that_came_or_went_take_nothing_along() {
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
    fn a_paragraph_that_was_divided_is_seen() {
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
