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

mod line;

use line::Line;
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
    /// Nothing yet, with room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Layout {
        Layout { out: String::with_capacity(bytes), ..Layout::default() }
    }

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

/// The columns that `text` takes up in a terminal.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}
