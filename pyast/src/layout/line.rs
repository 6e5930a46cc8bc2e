//! Laying out one line along its marks, from left to right and without ever going back.
//!
//! At each container the rest of the line is measured to decide whether it stays flat; nothing that
//! was decided before changes.

use super::{Closing, Frame, INDENT, Kind, Layout, Mark, Mode, Parens, WIDTH};

/// How far a measurement came.
enum Reach {
    /// To a place where the line may break.
    Fits,
    /// Over the edge.
    Over,
    /// To the end of what was to be measured, at this column.
    Column(usize),
}

/// A flat line on its way to a broken one.
pub(super) struct Line<'a> {
    pub(super) marks: &'a [Mark],
    pub(super) flat: &'a str,
    pub(super) frames: &'a mut Vec<Frame>,
    pub(super) column: usize,
    /// Whether a bracket has exploded.
    pub(super) has_exploded: bool,
}

impl Line<'_> {
    /// Writes the line to `out`, mark by mark.
    pub(super) fn run(mut self, out: &mut Layout) {
        let mut byte = 0;
        let mut at = 0;
        let mut i = 0;
        while let Some(&mark) = self.marks.get(i) {
            out.out.push_str(&self.flat[byte..mark.byte]);
            self.column += mark.at - at;
            (byte, at) = (mark.byte, mark.at);
            let frame = self.frames[self.frames.len() - 1];
            match mark.kind {
                Kind::Line if frame.mode == Mode::Break => {
                    self.newline(out, frame.indent);
                    (byte, at) = (byte + 1, at + 1);
                }
                Kind::Soft if frame.mode == Mode::Break => self.newline(out, frame.indent),
                Kind::Comma if frame.mode == Mode::Break => {
                    out.out.push(',');
                    self.column += 1;
                }
                Kind::Gap if frame.mode == Mode::Break => {
                    out.out.push(' ');
                    self.column += 1;
                }
                Kind::Line | Kind::Soft | Kind::Gap | Kind::Comma | Kind::Whole => (),
                Kind::Group => {
                    if frame.mode == Mode::Break && self.fits_flat(i) {
                        i = mark.end;
                        continue;
                    }
                }
                Kind::Bracket => {
                    if self.fits_flat(i) {
                        i = mark.end;
                        continue;
                    }
                    let open = &self.flat[byte..=byte];
                    out.out.push_str(open);
                    (byte, at) = (byte + 1, at + 1);
                    self.explode(out, mark.end, frame.indent, Closing::Bracket);
                }
                Kind::Parens(parens) => {
                    if parens.may_open(frame.mode) {
                        if self.fits_flat(i) {
                            i = mark.end;
                            continue;
                        }
                        if parens.is_callable() && self.fits_to_bracket(i, frame) {
                            i += 1;
                            continue;
                        }
                        if self.may_hug(i, parens, frame) {
                            let closing = Closing::Nothing;
                            self.frames.push(Frame {
                                end: mark.end,
                                mode: Mode::Hug,
                                closing,
                                ..frame
                            });
                        } else {
                            out.out.push('(');
                            self.explode(out, mark.end, frame.indent, Closing::Parenthesis);
                        }
                    }
                }
                Kind::End => {
                    if frame.end == i && i + 1 < self.marks.len() {
                        self.frames.pop();
                        self.leave(out, frame);
                    }
                }
            }
            i += 1;
        }
    }

    fn explode(&mut self, out: &mut Layout, end: usize, indent: usize, closing: Closing) {
        let indent = indent + INDENT;
        self.has_exploded = true;
        self.newline(out, indent);
        self.frames.push(Frame { end, mode: Mode::Break, indent, closing });
    }

    fn leave(&mut self, out: &mut Layout, frame: Frame) {
        match frame.closing {
            Closing::Nothing => (),
            Closing::Bracket => self.newline(out, frame.indent - INDENT),
            Closing::Parenthesis => {
                self.newline(out, frame.indent - INDENT);
                out.out.push(')');
                self.column += 1;
            }
        }
    }

    fn newline(&mut self, out: &mut Layout, indent: usize) {
        out.out.push('\n');
        out.indentation(indent);
        self.column = indent;
    }

    /// Whether the content of an invisible pair may stay bare although it does not fit.
    fn may_hug(&self, i: usize, parens: Parens, frame: Frame) -> bool {
        match parens {
            Parens::Multiline
            | Parens::Nested
            | Parens::Hugged
            | Parens::Callable
            | Parens::HuggedCallable => false,
            Parens::Omit => self.fits_hugged(i, frame),
            Parens::RightToLeft if !self.has_exploded => self.fits_hugged(i, frame),
            Parens::BestFit | Parens::RightToLeft => {
                self.fits_hugged(i, frame) || !self.fits_in_parens(i, frame)
            }
        }
    }

    /// Whether the container at `i`, flat, and what follows it up to the next break, fits.
    fn fits_flat(&self, i: usize) -> bool {
        let end = self.marks[i].end;
        let column = self.column + self.marks[end].at - self.marks[i].at;
        column <= WIDTH && self.rest_fits(column, end)
    }

    /// Whether the container at `i` fits with its brackets exploded.
    fn fits_hugged(&self, i: usize, frame: Frame) -> bool {
        let end = self.marks[i].end;
        match self.walk(self.column, i, end, Mode::Hug, frame.indent) {
            Reach::Fits => true,
            Reach::Over => false,
            Reach::Column(column) => self.rest_fits(column, end),
        }
    }

    /// Whether the part of the container at `i` before its first bracket fits.
    fn fits_to_bracket(&self, i: usize, frame: Frame) -> bool {
        let reach = self.walk(self.column, i, self.marks[i].end, Mode::Break, frame.indent);
        matches!(reach, Reach::Fits)
    }

    fn fits_in_parens(&self, i: usize, frame: Frame) -> bool {
        self.column < WIDTH
            && self.content_fits_in_parens(i, frame.indent)
            && self.rest_fits(frame.indent + 1, self.marks[i].end)
    }

    fn content_fits_in_parens(&self, i: usize, indent: usize) -> bool {
        let inner = indent + INDENT;
        !matches!(self.walk(inner, i, self.marks[i].end, Mode::All, inner), Reach::Over)
    }

    /// Whether what follows mark `from` fits, up to the next possible line break.
    fn rest_fits(&self, mut column: usize, mut from: usize) -> bool {
        for frame in self.frames.iter().rev() {
            match self.walk(column, from, frame.end, frame.mode, frame.indent) {
                Reach::Fits => return true,
                Reach::Over => return false,
                Reach::Column(_) if frame.closing != Closing::Nothing => return true,
                Reach::Column(end) => (column, from) = (end, frame.end),
            }
        }
        true
    }

    /// Measures what lies between the marks `from` and `end`.
    fn walk(&self, mut column: usize, from: usize, end: usize, mode: Mode, indent: usize) -> Reach {
        let mut i = from;
        let mut skipped = 0;
        while i < end {
            column += self.marks[i + 1].at - self.marks[i].at - skipped;
            skipped = 0;
            i += 1;
            if column > WIDTH {
                return Reach::Over;
            }
            if i == end {
                break;
            }
            let mark = self.marks[i];
            match (mark.kind, mode) {
                (Kind::Line | Kind::Soft, Mode::Break) => return Reach::Fits,
                (Kind::Line, Mode::All) => (column, skipped) = (indent, 1),
                (Kind::Soft, Mode::All) => column = indent,
                (Kind::Gap | Kind::Comma, Mode::Break | Mode::All) => column += 1,
                (Kind::Parens(Parens::BestFit), _) => (),
                (Kind::Parens(_), Mode::Top) => {
                    return if column < WIDTH { Reach::Fits } else { Reach::Over };
                }
                (Kind::Whole, _) => {
                    column += self.marks[mark.end].at - mark.at;
                    i = mark.end;
                }
                (Kind::Bracket, _) if column >= WIDTH => return Reach::Over,
                (Kind::Bracket, Mode::Top | Mode::Break) => return Reach::Fits,
                (Kind::Parens(Parens::Hugged | Parens::HuggedCallable), Mode::Hug)
                    if column >= WIDTH =>
                {
                    return Reach::Over;
                }
                (Kind::Bracket, Mode::Hug)
                | (Kind::Parens(Parens::Hugged | Parens::HuggedCallable), Mode::Hug) => {
                    (column, i) = (indent, mark.end);
                }
                (Kind::Bracket, Mode::All) => {
                    let inner = indent + INDENT;
                    if let Reach::Over = self.walk(inner - 1, i, mark.end, Mode::All, inner) {
                        return Reach::Over;
                    }
                    (column, i) = (indent, mark.end);
                }
                (Kind::Line | Kind::Soft | Kind::Gap | Kind::Comma, Mode::Top | Mode::Hug) => (),
                (Kind::Parens(_) | Kind::Group | Kind::End, _) => (),
            }
        }
        if column > WIDTH { Reach::Over } else { Reach::Column(column) }
    }
}
