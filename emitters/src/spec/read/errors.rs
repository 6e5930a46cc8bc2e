//! The errors of one run.

use crate::spec::error::SpecError;

/// Errors as they are found. Only the first are kept: nobody reads more, and rendering one costs a
/// walk over the file.
#[derive(Debug, Default)]
pub struct Errors {
    pub kept: Vec<SpecError>,
    pub omitted: usize,
}

impl Errors {
    const MOST: usize = 100;

    pub fn push(&mut self, error: SpecError) {
        if self.is_full() {
            self.omitted += 1;
        } else {
            self.kept.push(error);
        }
    }

    /// Whether what is found from now on is only counted, so that its help need not be worked out.
    pub fn is_full(&self) -> bool {
        self.kept.len() >= Errors::MOST
    }

    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}
