//! Layout: breaks one logical line so that no formatter would break it differently.
//!
//! A line is written flat, straight into the output, together with a list of [`Mark`]s: the places
//! where it may break. A line that fits is finished as it stands. For one that does not, the flat
//! text is taken off again and laid out along its marks.
//!
//! Every break lies inside a bracket pair, so a bracket pair is the only thing that can explode:
//! there is one mark for a visible pair, and one for the invisible pair that may surround a whole
//! right-hand side. Because the flat text is contiguous, the flat width of any part is the distance
//! of its marks, and whether something fits is a walk over the marks up to the next possible break.
//!
//! This module knows nothing of the language it lays out.

use unicode_width::UnicodeWidthStr;

/// The number of columns that a line may take up.
pub const WIDTH: usize = 88;
/// The columns of one indentation level.
pub const INDENT: usize = 4;

/// When an invisible pair of parentheses becomes visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parens {
    /// As soon as the content does not fit on one line.
    Multiline,
    /// When exploding the brackets of the content is not enough.
    Omit,
    /// Like `Omit`, and only if the pair makes the content fit.
    BestFit,
    /// Before brackets to its left explode; after that like `BestFit`.
    RightToLeft,
    /// Like `Multiline`, inside brackets too.
    Nested,
    /// Like `Nested`, and what surrounds it may count on that.
    Hugged,
    /// As soon as what comes before the first bracket of the content does not fit; anywhere.
    Callable,
    /// Like `Callable`, and what surrounds it may count on that.
    HuggedCallable,
}

/// The text under construction: finished lines, and the marks of the line that is being written.
#[derive(Debug, Default)]
pub struct Layout {
    out: String,
    start: usize,
    indent: usize,
    marks: Vec<Mark>,
    spare: Spare,
}

/// Buffers that are kept between lines.
#[derive(Debug, Default)]
struct Spare {
    flat: String,
    frames: Vec<Frame>,
}

/// A point in a line that can be returned to.
#[derive(Debug, Clone, Copy)]
pub struct Checkpoint {
    text: usize,
    marks: usize,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    kind: Kind,
    /// Where in the flat text; once the line is broken, which column of the flat line.
    at: usize,
    /// Byte offset in the flat text.
    byte: usize,
    /// The mark that ends this one.
    end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A space, or a line break when its surroundings are broken.
    Line,
    /// Nothing, or a line break when its surroundings are broken.
    Soft,
    /// Nothing, or a space when its surroundings are broken.
    Gap,
    /// Nothing, or a trailing comma when its surroundings are broken.
    Comma,
    /// Breaks all its own lines if it does not fit.
    Group,
    /// `(…)`, `[…]`, `{…}`: the mark stands before the opening and its end before the closing one.
    Bracket,
    /// An invisible pair around a whole expression, made visible only if needed.
    Parens(Parens),
    /// Must fit on the line whole when anything to its left is being measured.
    Whole,
    /// The end of a group, pair or whole.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Statement level: no line may break, brackets may explode.
    Top,
    /// Inside an omitted invisible pair: as `Top`, but measured to the very end.
    Hug,
    /// Inside an exploded bracket: lines break.
    Break,
    /// Measuring only: every line and every bracket broken.
    All,
}

/// A container that has been entered and not left.
#[derive(Debug, Clone, Copy)]
struct Frame {
    end: usize,
    mode: Mode,
    indent: usize,
    closing: Closing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    /// Nothing was opened.
    Nothing,
    /// The closing bracket goes on a line of its own.
    Bracket,
    /// As `Bracket`, and the bracket is a parenthesis that the flat text lacks.
    Parenthesis,
}

/// How far a measurement came.
enum Reach {
    /// To a place where the line may break.
    Fits,
    /// Over the edge.
    Over,
    /// To the end of what was to be measured, at this column.
    Column(usize),
}

impl Parens {
    fn is_callable(self) -> bool {
        matches!(self, Parens::Callable | Parens::HuggedCallable)
    }

    /// Whether the pair is more than transparent inside `mode`.
    fn may_open(self, mode: Mode) -> bool {
        match self {
            Parens::Multiline | Parens::Omit | Parens::BestFit | Parens::RightToLeft => {
                mode == Mode::Top
            }
            Parens::Nested => matches!(mode, Mode::Top | Mode::Break),
            Parens::Hugged | Parens::Callable | Parens::HuggedCallable => true,
        }
    }
}

impl Layout {
    /// The finished text.
    pub fn into_text(self) -> String {
        self.out
    }

    /// The text so far.
    pub fn written(&self) -> &str {
        &self.out
    }

    /// Replaces a part of the finished text by another of the same length.
    pub fn patch(&mut self, at: usize, text: &str) {
        self.out.replace_range(at..at + text.len(), text);
    }

    /// Inserts whole lines into the finished text.
    pub fn insert_lines(&mut self, at: usize, lines: &str) {
        self.out.insert_str(at, lines);
        self.start += lines.len();
    }

    /// Text that nothing breaks: a comment, a docstring, a blank line.
    pub fn verbatim(&mut self, text: &str) {
        self.out.push_str(text);
        self.start = self.out.len();
    }

    /// Starts a logical line at `depth` indentation levels.
    pub fn begin_line(&mut self, depth: usize) {
        self.start = self.out.len();
        self.indent = depth * INDENT;
        self.indentation(self.indent);
        self.marks.clear();
    }

    /// Ends the logical line, and lays it out if it does not fit. The comment does not count.
    pub fn end_line(&mut self, comment: Option<&str>) {
        if !self.fits_flat(0) {
            self.lay_out();
        }
        if let Some(comment) = comment {
            self.out.push_str("  # ");
            self.out.push_str(comment);
        }
        self.out.push('\n');
        self.start = self.out.len();
    }

    /// Whether the line so far, and `extra` columns more, fit without any break.
    pub fn fits_flat(&self, extra: usize) -> bool {
        // No character is wider than its bytes.
        self.out.len() - self.start + extra <= WIDTH || width(self.line_text()) + extra <= WIDTH
    }

    /// The line so far.
    pub fn line_text(&self) -> &str {
        &self.out[self.start..]
    }

    /// Appends text that never breaks.
    #[inline]
    pub fn text(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Appends one character.
    #[inline]
    pub fn char(&mut self, char: char) {
        self.out.push(char);
    }

    /// A space that may become a line break.
    #[inline]
    pub fn line(&mut self) {
        self.mark(Kind::Line);
        self.out.push(' ');
    }

    /// Nothing, that may become a line break.
    #[inline]
    pub fn soft(&mut self) {
        self.mark(Kind::Soft);
    }

    /// Nothing, that becomes a space when the lines around it break.
    #[inline]
    pub fn gap(&mut self) {
        self.mark(Kind::Gap);
    }

    /// Nothing, that becomes a trailing comma when the lines around it break.
    #[inline]
    pub fn comma(&mut self) {
        self.mark(Kind::Comma);
    }

    /// Opens a group; `end` closes it.
    #[inline]
    pub fn group(&mut self) -> usize {
        self.mark(Kind::Group)
    }

    /// Opens a bracket; `close` closes it.
    #[inline]
    pub fn open(&mut self, bracket: char) -> usize {
        let mark = self.mark(Kind::Bracket);
        self.out.push(bracket);
        mark
    }

    /// Opens an invisible pair; `end` closes it.
    #[inline]
    pub fn parens(&mut self, parens: Parens) -> usize {
        self.mark(Kind::Parens(parens))
    }

    /// Opens a part that is measured whole; `end` closes it.
    #[inline]
    pub fn whole(&mut self) -> usize {
        self.mark(Kind::Whole)
    }

    /// Ends a group, an invisible pair or a whole.
    #[inline]
    pub fn end(&mut self, opened: usize) {
        let end = self.mark(Kind::End);
        self.marks[opened].end = end;
    }

    /// Ends a bracket.
    #[inline]
    pub fn close(&mut self, opened: usize, bracket: char) {
        self.end(opened);
        self.out.push(bracket);
    }

    /// Where the line stands now.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint { text: self.out.len(), marks: self.marks.len() }
    }

    /// What was written since `checkpoint`.
    pub fn since(&self, checkpoint: Checkpoint) -> &str {
        &self.out[checkpoint.text..]
    }

    /// Takes back what was written since `checkpoint`.
    pub fn rewind(&mut self, checkpoint: Checkpoint) {
        self.out.truncate(checkpoint.text);
        self.marks.truncate(checkpoint.marks);
    }

    /// Makes what was written since `checkpoint` one text that never breaks.
    pub fn freeze(&mut self, checkpoint: Checkpoint) {
        self.marks.truncate(checkpoint.marks);
    }

    #[inline]
    fn mark(&mut self, kind: Kind) -> usize {
        let byte = self.out.len() - self.start;
        self.marks.push(Mark { kind, at: byte, byte, end: 0 });
        self.marks.len() - 1
    }

    fn indentation(&mut self, columns: usize) {
        const SPACES: &str = "                                                                ";
        let mut left = columns;
        while left > SPACES.len() {
            self.out.push_str(SPACES);
            left -= SPACES.len();
        }
        self.out.push_str(&SPACES[..left]);
    }
}

/// Laying out a line that does not fit.
impl Layout {
    fn lay_out(&mut self) {
        self.mark(Kind::End);
        let mut spare = std::mem::take(&mut self.spare);
        spare.flat.clear();
        spare.flat.push_str(&self.out[self.start..]);
        spare.frames.clear();
        let last = self.marks.len() - 1;
        let indent = self.indent;
        spare.frames.push(Frame { end: last, mode: Mode::Top, indent, closing: Closing::Nothing });
        self.out.truncate(self.start);
        if !spare.flat.is_ascii() {
            self.measure_columns(&spare.flat);
        }
        let marks = std::mem::take(&mut self.marks);
        let line = Line {
            marks: &marks,
            flat: &spare.flat,
            frames: &mut spare.frames,
            column: 0,
            has_exploded: false,
        };
        line.run(self);
        self.marks = marks;
        self.spare = spare;
    }

    /// Turns byte offsets into columns, where the two differ.
    fn measure_columns(&mut self, flat: &str) {
        let mut column = 0;
        let mut byte = 0;
        for mark in &mut self.marks {
            column += width(&flat[byte..mark.byte]);
            byte = mark.byte;
            mark.at = column;
        }
    }
}

/// A flat line on its way to a broken one.
struct Line<'a> {
    marks: &'a [Mark],
    flat: &'a str,
    frames: &'a mut Vec<Frame>,
    column: usize,
    /// Whether a bracket has exploded.
    has_exploded: bool,
}

impl Line<'_> {
    fn run(mut self, out: &mut Layout) {
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

/// The columns that `text` takes up in a terminal.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}
