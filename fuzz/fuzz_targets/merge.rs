//! Three versions, with NUL between them: one side alone has its way, and a clean merge of Python is Python.
#![no_main]

use astgen::merge::conflict::Labels;
use astgen::merge::{Language, merge_file};
use astgen::outline::outline;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let versions: Vec<&[u8]> = bytes.split(|byte| *byte == 0).collect();
    let [base, ours, theirs] = versions[..] else { return };
    for language in [Language::Python, Language::Text] {
        let merge = |ours, theirs| merge_file(language, base, ours, theirs, &Labels::default());
        let is_python = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok_and(|it| outline(it).is_some());
        if let Ok(alone) = merge(ours, base) {
            assert_eq!(alone.bytes, ours);
        }
        if let Ok(alone) = merge(base, theirs) {
            assert_eq!(alone.bytes, theirs);
        }
        let Ok(merged) = merge(ours, theirs) else { continue };
        let ends = merged.bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
        let lines = ends + 1;
        assert!(merged.conflicts.iter().all(|conflict| (1..=lines).contains(&conflict.line)));
        let is_clean = merged.conflicts.is_empty() && ours != base && theirs != base && ours != theirs;
        if language == Language::Python && is_clean && is_python(ours) && is_python(theirs) {
            assert!(is_python(&merged.bytes), "{}", String::from_utf8_lossy(&merged.bytes));
        }
    }
});
