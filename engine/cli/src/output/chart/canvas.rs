//! A canvas of braille patterns: each cell of the terminal has two by four dots.

/// Dots of a cell across and down.
const DOTS: (usize, usize) = (2, 4);
/// The first pattern, without a dot.
const BLANK: u32 = 0x2800;
/// What each dot adds to the pattern, from the left and from the top.
const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Dots, with one colour for each cell: that of the last dot.
pub(super) struct Canvas {
    columns: usize,
    cells: Vec<Cell>,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Cell {
    dots: u8,
    pub(super) colour: usize,
}

impl Canvas {
    /// A canvas with at least one cell.
    pub(super) fn new(columns: usize, rows: usize) -> Self {
        Self {
            columns,
            cells: vec![Cell::default(); columns * rows],
        }
    }

    /// The dot at these parts of the width, from the left, and of the height, from the bottom.
    pub(super) fn place(&self, x: f64, y: f64) -> (f64, f64) {
        let across = self.columns * DOTS.0 - 1;
        let down = self.cells.len() / self.columns * DOTS.1 - 1;
        (
            (x * across as f64).round(),
            ((1.0 - y) * down as f64).round(),
        )
    }

    /// The row of cells with the dot at this part of the height, from the bottom.
    pub(super) fn row(&self, y: f64) -> usize {
        self.place(0.0, y).1 as usize / DOTS.1
    }

    /// The column of cells with the dot at this part of the width, from the left.
    pub(super) fn column(&self, x: f64) -> usize {
        self.place(x, 0.0).0 as usize / DOTS.0
    }

    /// Draws a line between two dots, both included.
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: usize) {
        let (across, down) = (to.0 - from.0, to.1 - from.1);
        let steps = across.abs().max(down.abs());
        for step in 0..=steps as usize {
            let part = step as f64 / steps.max(1.0);
            let x = (from.0 + part * across).round() as usize;
            let y = (from.1 + part * down).round() as usize;
            let cell = &mut self.cells[y / DOTS.1 * self.columns + x / DOTS.0];
            cell.dots |= BITS[x % DOTS.0][y % DOTS.1];
            cell.colour = colour;
        }
    }

    /// The rows of cells, from the top.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[Cell]> {
        self.cells.chunks(self.columns)
    }
}

impl Cell {
    /// Its pattern; a space where there is no dot.
    pub(super) fn pattern(self) -> char {
        match self.dots {
            0 => ' ',
            dots => char::from_u32(BLANK + u32::from(dots)).unwrap_or(' '),
        }
    }
}
