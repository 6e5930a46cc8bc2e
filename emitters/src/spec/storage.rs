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

/// A media type of files that are kept; none is among them that a browser would run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum FileType {
    /// An image.
    Png,
    /// A photograph.
    Jpeg,
    /// An image, perhaps a moving one.
    Gif,
    /// An image.
    WebP,
    /// A document.
    Pdf,
    /// An archive, and what is one inside: documents of office programs.
    Zip,
    /// A film.
    Mp4,
    /// Sound.
    Mp3,
    /// Text.
    Text,
    /// A table.
    Csv,
    /// Data.
    Json,
}

impl FileType {
    /// Every type.
    pub const ALL: [FileType; 11] = [
        FileType::Png,
        FileType::Jpeg,
        FileType::Gif,
        FileType::WebP,
        FileType::Pdf,
        FileType::Zip,
        FileType::Mp4,
        FileType::Mp3,
        FileType::Text,
        FileType::Csv,
        FileType::Json,
    ];

    /// Its name in the registry of media types (RFC 6838).
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            FileType::Png => "image/png",
            FileType::Jpeg => "image/jpeg",
            FileType::Gif => "image/gif",
            FileType::WebP => "image/webp",
            FileType::Pdf => "application/pdf",
            FileType::Zip => "application/zip",
            FileType::Mp4 => "video/mp4",
            FileType::Mp3 => "audio/mpeg",
            FileType::Text => "text/plain",
            FileType::Csv => "text/csv",
            FileType::Json => "application/json",
        }
    }
}
