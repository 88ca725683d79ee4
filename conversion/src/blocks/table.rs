//! Reads tables, with cells that span columns and rows.

use super::{Block, Inline, Text, is_blank};

/// Maximum number of table columns.
const COLUMNS: usize = 30;

/// A table being read.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<Vec<Text>>>,
    /// For each column, how many of the next rows are covered by a cell above.
    taken: [u32; COLUMNS],
    cell: Option<Vec<Text>>,
}

impl Table {
    pub(crate) fn row(&mut self) {
        self.end_cell();
        // If the row ended early, the remaining columns' spans must shrink by a row too.
        let reached = self.rows.last().map_or(COLUMNS, Vec::len).min(COLUMNS);
        for taken in &mut self.taken[reached..] {
            *taken = taken.saturating_sub(1);
        }
        self.rows.push(Vec::new());
    }

    /// Begins a cell that spans the given columns and rows.
    pub(crate) fn cell(&mut self, columns: u32, rows: u32) {
        self.end_cell();
        if self.rows.is_empty() {
            self.rows.push(Vec::new());
        }
        self.skip_taken();
        let Some(row) = self.rows.last() else { return };
        let at = row.len();
        for column in at..(at + columns.clamp(1, 30) as usize).min(COLUMNS) {
            self.taken[column] = rows.max(1);
        }
        self.cell = Some(Vec::new());
    }

    /// Sets the column span of the current cell.
    pub(crate) fn widen(&mut self, columns: u32) {
        let Some(row) = self.rows.last().filter(|_| self.cell.is_some()) else { return };
        let at = row.len() + 1;
        for taken in self.taken.iter_mut().take(row.len() + columns.clamp(1, 30) as usize).skip(at) {
            *taken = (*taken).max(1);
        }
    }

    /// Whether a cell is open for text.
    pub(crate) fn takes_text(&self) -> bool {
        self.cell.is_some()
    }

    pub(crate) fn paragraph(&mut self, text: Text) {
        if let Some(cell) = &mut self.cell {
            cell.push(text);
        }
    }

    pub(crate) fn end_cell(&mut self) {
        let Some(cell) = self.cell.take() else { return };
        let Some(row) = self.rows.last_mut() else { return };
        if row.len() >= COLUMNS {
            return;
        }
        // The cell's own row is done.
        let at = row.len();
        self.taken[at] -= 1;
        row.push(cell);
        self.skip_taken();
    }

    /// Fills the positions covered by an earlier cell's span with empty cells.
    fn skip_taken(&mut self) {
        let Some(row) = self.rows.last_mut() else { return };
        while let Some(taken) = self.taken.get_mut(row.len())
            && *taken > 0
        {
            *taken -= 1;
            row.push(Vec::new());
        }
    }

    /// A table with a single column becomes paragraphs.
    pub(crate) fn finish(mut self) -> Vec<Block> {
        self.end_cell();
        let is_empty = |cell: &Vec<Text>| cell.iter().all(|text| is_blank(text));
        self.rows.retain(|row| !row.iter().all(is_empty));
        let columns =
            self.rows.iter().filter_map(|row| row.iter().rposition(|cell| !is_empty(cell))).max().map_or(0, |at| at + 1);
        if columns <= 1 {
            let texts = self.rows.into_iter().flatten().flatten().filter(|text| !is_blank(text));
            return texts.map(|text| Block::Paragraph { quoted: false, text }).collect();
        }
        let rows = self.rows.into_iter().map(|mut row| {
            row.resize(columns, Vec::new());
            row.into_iter().map(|cell| cell.join(&Inline::Break)).collect()
        });
        vec![Block::Table(rows.collect())]
    }
}
