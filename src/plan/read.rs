//! Reading a plan that anybody may have written.

use super::{Action, ActionType, Plan, VERSION};
use crate::{Digest, ProjectPath};
use std::collections::HashMap;

/// A larger plan is refused: a project of 1,000 entities that changes in every file has a tenth of it.
const LARGEST: usize = 512 << 20;
/// A plan has six levels.
const DEEPEST: usize = 32;
/// More actions than any project has files.
const MOST_ACTIONS: usize = 200_000;

/// Why a text is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAPlan {
    /// It is too large.
    #[error("it is larger than {} MB", LARGEST >> 20)]
    TooLarge,
    /// It nests too deeply.
    #[error("it nests deeper than {DEEPEST} levels")]
    TooDeep,
    /// It is not UTF-8.
    #[error("it is not UTF-8 text (byte {0})")]
    NotUtf8(usize),
    /// It is not JSON, or not of the form of a plan.
    #[error("{0}")]
    Json(String),
    /// It is of a newer version.
    #[error("it is of version {0}; this astgen knows version {VERSION}")]
    Newer(u32),
    /// It has more actions than any project has files.
    #[error("it has more than {MOST_ACTIONS} actions")]
    TooManyActions,
    /// An action lacks its text.
    #[error("the action for {0} has no `content`")]
    NoContent(ProjectPath),
    /// Two actions write to one place.
    #[error("{0} and {1} are one file on some file systems")]
    Twice(ProjectPath, ProjectPath),
    /// A file is to be written where a folder must be for another one.
    #[error("{0} cannot be a file and a folder")]
    FileAndFolder(ProjectPath),
    /// A text is not the one that its digest names.
    #[error("what is generated for {0} is not what its digest `theirs` says")]
    WrongDigest(ProjectPath),
}

impl Plan {
    /// Reads a plan. One that holds nothing but `actions` with `type`, `path` and `content` is a plan too.
    ///
    /// ```
    /// use astgen::plan::{ActionType, Plan};
    /// let plan = Plan::parse(r#"{"actions": [{"type": "create", "path": "a.py", "content": ""}]}"#).unwrap();
    /// assert_eq!(plan.actions[0].kind, ActionType::Create);
    /// assert!(Plan::parse(r#"{"actions": [{"type": "create", "path": "../a.py", "content": ""}]}"#).is_err());
    /// ```
    ///
    /// # Errors
    /// When it is no plan, or one of its paths may lead out of the project.
    pub fn parse(text: &str) -> Result<Plan, NotAPlan> {
        if text.len() > LARGEST {
            return Err(NotAPlan::TooLarge);
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if is_too_deep(text) {
            return Err(NotAPlan::TooDeep);
        }
        let plan: Plan =
            serde_json::from_str(text).map_err(|error| NotAPlan::Json(error.to_string()))?;
        if plan.version > VERSION {
            return Err(NotAPlan::Newer(plan.version));
        }
        if plan.actions.len() > MOST_ACTIONS || plan.settled.len() > MOST_ACTIONS {
            return Err(NotAPlan::TooManyActions);
        }
        plan.actions.iter().try_for_each(check_action)?;
        check_places(&plan)?;
        Ok(plan)
    }

    /// Reads the bytes of a plan.
    ///
    /// # Errors
    /// When they are not UTF-8, or no plan.
    pub fn parse_bytes(bytes: &[u8]) -> Result<Plan, NotAPlan> {
        if bytes.len() > LARGEST {
            return Err(NotAPlan::TooLarge);
        }
        let text =
            std::str::from_utf8(bytes).map_err(|error| NotAPlan::NotUtf8(error.valid_up_to()))?;
        Plan::parse(text)
    }
}

/// Whether brackets outside of strings nest deeper than any plan does.
fn is_too_deep(text: &str) -> bool {
    let (mut depth, mut is_string, mut is_escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_string => is_escaped = true,
            b'"' => is_string = !is_string,
            b'{' | b'[' if !is_string => depth += 1,
            b'}' | b']' if !is_string => depth = depth.saturating_sub(1),
            _ => (),
        }
        if depth > DEEPEST {
            return true;
        }
    }
    false
}

fn check_action(action: &Action) -> Result<(), NotAPlan> {
    let needs_text =
        matches!(action.kind, ActionType::Create | ActionType::Update | ActionType::Merge);
    if needs_text && action.text().is_none() {
        return Err(NotAPlan::NoContent(action.path.clone()));
    }
    let Some(theirs) = action.theirs else { return Ok(()) };
    let is_known =
        action.generated_text().is_some_and(|text| Digest::of(text.as_bytes()) == theirs);
    if is_known { Ok(()) } else { Err(NotAPlan::WrongDigest(action.path.clone())) }
}

/// Every place is written once, whatever the file system takes for one place.
fn check_places(plan: &Plan) -> Result<(), NotAPlan> {
    let mut places: HashMap<String, &ProjectPath> = HashMap::new();
    for action in &plan.actions {
        let beside = format!("{}.new", action.path.folded());
        let own = Some(action.path.folded());
        let beside = (action.kind == ActionType::Conflict).then_some(beside);
        for place in own.into_iter().chain(beside) {
            if let Some(other) = places.insert(place, &action.path) {
                return Err(NotAPlan::Twice(other.clone(), action.path.clone()));
            }
        }
    }
    for action in plan.actions.iter().filter(|action| action.kind != ActionType::Delete) {
        let folded = action.path.folded();
        let mut folders = folded.match_indices('/').map(|(at, _)| &folded[..at]);
        if let Some(folder) = folders.find_map(|folder| places.get(folder)) {
            return Err(NotAPlan::FileAndFolder((*folder).clone()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{NotAPlan, Plan};
    use crate::plan::ActionType;
    use proptest::prelude::*;

    #[track_caller]
    fn check(plan: &str, expected: &str) {
        let error = Plan::parse(plan).expect_err("not a plan").to_string();
        assert!(error.contains(expected), "{error}");
    }

    fn creates(paths: &[&str]) -> String {
        let actions: Vec<_> = paths
            .iter()
            .map(|path| serde_json::json!({"type": "create", "path": path, "content": ""}))
            .collect();
        serde_json::json!({ "actions": actions }).to_string()
    }

    #[test]
    fn short_forms_are_plans() {
        let plan = r#"{"project": "x", "more": [1], "actions": [
            {"type": "update", "path": "a.py", "new_content": "x = 1\n", "old_content": "x = 0\n"},
            {"type": "conflict", "path": "b.py", "new_content": "y = 1\n"},
            {"type": "delete", "path": "c.py"}]}"#;
        let plan = Plan::parse(plan).expect("a plan");
        assert_eq!(plan.actions[0].text(), Some("x = 1\n"));
        assert_eq!(plan.actions[1].kind, ActionType::Conflict);
        assert_eq!(plan.actions[1].text(), Some("y = 1\n"));
        assert_eq!(plan.actions[2].generated_text(), None);
    }

    #[test]
    fn what_could_do_harm_is_refused() {
        for path in ["/a", "../a", "a/../../b", ".git/config", "a\0", "C:\\a", "", ".astgen/texts"]
        {
            check(&creates(&[path]), "is refused");
        }
        check(&creates(&["a.py", "A.py"]), "are one file on some file systems");
        check(&creates(&["a", "a/b"]), "cannot be a file and a folder");
        check(r#"{"actions": [{"type": "create", "path": "a"}]}"#, "has no `content`");
        check(r#"{"actions": [{"type": "run", "path": "a"}]}"#, "unknown variant `run`");
        check(r#"{"version": 2, "actions": []}"#, "it is of version 2");
        check("[]", "expected struct Plan");
        check("{", "EOF");
        let deep = format!("{{\"actions\": [], \"x\": {}", "[".repeat(100_000));
        check(&deep, "it nests deeper");
        assert!(
            Plan::parse(r#"{"actions": [], "x": "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}"#)
                .is_ok()
        );
        let theirs = "0".repeat(64);
        let wrong = format!(
            r#"{{"actions": [{{"type": "create", "path": "a", "content": "", "theirs": "{theirs}"}}]}}"#
        );
        check(&wrong, "is not what its digest");
    }

    #[test]
    fn a_conflict_owns_the_file_beside_it() {
        let plan = r#"{"actions": [{"type": "conflict", "path": "a", "new_content": ""},
            {"type": "create", "path": "A.new", "content": ""}]}"#;
        check(plan, "are one file");
        assert_eq!(Plan::parse_bytes(b"\xff"), Err(NotAPlan::NotUtf8(0)));
    }

    proptest! {
        #![proptest_config(crate::test_config())]

        #[test]
        fn no_path_of_a_plan_leads_out(path in "([./\\\\ a-zG]|\\.\\.|\\.git|\u{0}){0,12}") {
            if let Ok(plan) = Plan::parse(&creates(&[&path])) {
                let path = plan.actions[0].path.as_str();
                prop_assert!(!path.starts_with('/') && !path.contains('\0'));
                prop_assert!(path.split('/').all(|name| !["", ".", ".."].contains(&name)));
                prop_assert!(path.split('/').all(|name| !name.eq_ignore_ascii_case(".git")));
            }
        }
    }
}
