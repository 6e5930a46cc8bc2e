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

impl Storage {
    /// Whether the product keeps files.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.backend != StorageBackend::Off
    }

    /// Whether files can be in a folder only, which has to outlive the server.
    #[must_use]
    pub fn is_in_folder(&self) -> bool {
        self.backend == StorageBackend::Local
    }

    /// Whether files can be in a bucket; without one they are in a folder here too.
    #[must_use]
    pub fn has_bucket(&self) -> bool {
        self.backend == StorageBackend::S3
    }
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
