//! Bytes as words of text: `lz4`, and a block of LZ4 in base64 that begins with the size of what is in it. Packed, texts
//! stay out of what people search for.

use data_encoding::BASE64;
use lz4_flex::block::{self, CompressTable};
use miniz_oxide::inflate::decompress_to_vec_with_limit;

/// How the bytes are packed. Before version 3 of the texts they were deflated, and that had no name.
const LZ4: &str = "lz4 ";

/// No more bytes than this are unpacked: what is damaged shall not fill the memory.
const MOST: usize = 256 << 20;

/// A byte of a block stands for so many bytes at the most (the length of a match grows by 255 with each byte).
const MOST_OF_A_BYTE: usize = 255;

/// The size before a block, in bytes.
const SIZE: usize = size_of::<u32>();

/// Packs bytes. What it works in is kept from one time to the next: fresh memory takes longer than packing.
pub struct Packer {
    bytes: Vec<u8>,
    block: Vec<u8>,
    table: CompressTable,
}

impl Default for Packer {
    fn default() -> Packer {
        // A small table packs short texts differently, but only until a long one makes it grow: what is packed would
        // hang on what was packed before.
        Packer { bytes: Vec::new(), block: Vec::new(), table: CompressTable::large() }
    }
}

impl Packer {
    /// Adds to the bytes that are to be packed.
    pub fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Packs all that was added into the end of `text`, and begins anew.
    pub fn pack(&mut self, text: &mut String) {
        let Packer { bytes, block, table } = self;
        let most = SIZE + block::get_maximum_output_size(bytes.len());
        block.resize(most.max(block.len()), 0);
        let (size, packed) = block.split_at_mut(SIZE);
        // More than `u32` counts is more than is unpacked.
        size.copy_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        // There is room for the most that it makes, so that it does not fail.
        let length = block::compress_into_with_table(bytes, packed, table).unwrap_or_default();
        bytes.clear();
        text.push_str(LZ4);
        BASE64.encode_append(&block[..SIZE + length], text);
    }
}

/// The bytes that were packed; `None` when the text is damaged.
pub fn unpack(text: &str) -> Option<Vec<u8>> {
    if let Some(block) = text.strip_prefix(LZ4) {
        let block = BASE64.decode(block.as_bytes()).ok()?;
        let (size, block) = block::uncompressed_size(&block).ok()?;
        let most = block.len().saturating_mul(MOST_OF_A_BYTE).min(MOST);
        return if size <= most { block::decompress(block, size).ok() } else { None };
    }
    let deflated = BASE64.decode(text.as_bytes()).ok()?;
    decompress_to_vec_with_limit(&deflated, MOST).ok()
}

#[cfg(test)]
mod tests {
    use super::{BASE64, LZ4, Packer, unpack};
    use proptest::prelude::*;

    fn packed(bytes: &[u8]) -> String {
        let (mut packer, mut text) = (Packer::default(), String::new());
        packer.add(bytes);
        packer.pack(&mut text);
        text
    }

    proptest! {
        #![proptest_config(crate::test_config())]

        #[test]
        fn what_is_packed_is_unpacked_and_hangs_on_nothing_before_it(
            all in proptest::collection::vec(("[a-c]{1,9}", 0..20_000_usize), 1..5),
        ) {
            let mut used = Packer::default();
            for (word, times) in all {
                let bytes = word.repeat(times).into_bytes();
                let mut text = String::new();
                used.add(&bytes);
                used.pack(&mut text);
                prop_assert_eq!(&text, &packed(&bytes));
                prop_assert_eq!(unpack(&text), Some(bytes));
            }
        }
    }

    #[test]
    fn a_size_that_is_enormous_is_not_believed() {
        let claim = |size: usize| {
            let size = u32::try_from(size).expect("it fits").to_le_bytes();
            unpack(&format!("{LZ4}{}", BASE64.encode(&[&size[..], b"\x10a"].concat())))
        };
        assert_eq!(claim(1), Some(b"a".to_vec()));
        assert_eq!(claim(511), None);
    }
}
