//! One text for all that decides what is generated.

use super::Spec;
use sha2::{Digest, Sha256};
use std::io;

/// The SHA-256 of a spec in hexadecimal. It follows the meaning of the file and nothing else:
/// comments, order of tables and the place of the file leave it as it is.
#[must_use]
pub fn digest(spec: &Spec) -> String {
    let mut sink = Sink(Sha256::new());
    // Neither the sink nor the spec's own types can fail.
    let written = serde_json::to_writer(&mut sink, spec);
    debug_assert!(written.is_ok(), "{written:?}");
    sink.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Sink(Sha256);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
