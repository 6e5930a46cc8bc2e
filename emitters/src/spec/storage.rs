//! Where uploaded files are kept.

use serde::Serialize;

/// File storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Storage {
    /// Where the bytes are.
    pub backend: StorageBackend,
    /// The most bytes of one file.
    pub max_file_size: u64,
}

/// Where the bytes of files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum StorageBackend {
    /// The product keeps no files.
    Off,
    /// A folder on the server, with signed addresses.
    Local,
    /// A bucket behind the S3 interface.
    S3,
}
