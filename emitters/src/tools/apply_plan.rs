//! `tools/apply_plan.py`: the safe part of `astgen apply-plan`, where that is not installed.

use crate::python::builtins::{
    __file__, __name__, Exception, OSError, RecursionError, ValueError, any, bool, dict, int,
    isinstance, len, list, object, print, str,
};
use crate::python::standard::{
    ArgumentParser, Path, Sequence, TypeGuard, dataclass, json, re, sha256, shutil, subprocess, sys,
};
use astgen_pyast::prelude::*;

vocabulary! {
    "apply_plan": PLAN, VERSION, KINDS, WITH_TEXT, REFUSED, FOLDERS, LONGEST, PlanError, Action, main, run,
        build_parser, is_object, is_list, read_plan, read_action, check_path, is_bad_name, place, carry_out, create,
        leave_conflict, write_new;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("apply_plan")
        .docstring(
            "Do what is safe of a plan that `astgen build` made: create what is missing.\n\
             \n\
             `astgen apply-plan` does all of a plan, and is called where it is installed. Without\n\
             it, files that are missing are created, conflicts get their `<path>.new`, and nothing\n\
             that is there is changed: the rest waits for astgen. Nothing is written without\n\
             `--apply`, and never anything outside of the project.",
        )
        .body(block![
            assign(PLAN, "plan.json"),
            assign(VERSION, 1),
            assign(KINDS, py!(("create", "update", "merge", "conflict", "delete"))),
            assign(WITH_TEXT, py!(("create", "update", "merge"))),
            assign(REFUSED, refused_characters())
                .comment("What splits names on some systems, and what nobody sees."),
            assign(FOLDERS, py!(set!(".git", "git~1", ".astgen", "astgen~1"))),
            assign(LONGEST, py!(4096)),
            plan_error_class(),
            action_class(),
            main_def(),
            build_parser_def(),
            run_def(),
            is_object_def(),
            is_list_def(),
            read_plan_def(),
            read_action_def(),
            check_path_def(),
            is_bad_name_def(),
            place_def(),
            carry_out_def(),
            create_def(),
            leave_conflict_def(),
            write_new_def(),
            if_(py!(__name__ == "__main__"), [do_(py!(main()))])
        ])
}

fn refused_characters() -> Expr {
    let pattern = r"[\x00-\x1f\x7f-\x9f\\:\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]";
    py!(re.compile(pattern))
}

fn plan_error_class() -> ClassDef {
    class(PlanError)
        .base(Exception)
        .body([docstring("The plan is not one, or would do harm: nothing of it is done.")])
}

fn action_class() -> ClassDef {
    names!(kind, path, text);
    class(Action).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("What a plan wants done with one file."),
        annotate(kind, str),
        annotate(path, str),
        annotate(text, py!(str | None))
    ])
}

fn main_def() -> FunctionDef {
    names!(error);
    def(main).returns(none()).body(block![
        docstring("Exit with 0 when all is done, 1 when something is left, 2 for a bad plan."),
        try_([do_(py!(sys.exit(run(sys.argv[1..]))))]).except_as(
            PlanError,
            error,
            block![
                do_(py!(print(f!("{}: {}", PLAN, error), file = sys.stderr))),
                do_(py!(sys.exit(2)))
            ]
        )
    ])
}

fn build_parser_def() -> FunctionDef {
    names!(parser);
    def(build_parser).returns(ArgumentParser).body(block![
        docstring("Describe the command line."),
        assign(parser, py!(ArgumentParser(description = "Do what is safe of a project's plan."))),
        do_(py!(parser.add_argument(
            "project",
            nargs = "?",
            r#type = Path,
            default = Path(__file__).resolve().parent.parent,
            help = "the project's folder, this one if none is named"
        ))),
        do_(py!(parser.add_argument("--apply", action = "store_true", help = "write the files"))),
        do_(py!(parser.add_argument(
            "--dry-run",
            action = "store_true",
            help = "only show what would be done, which is the default"
        ))),
        do_(py!(parser.add_argument(
            "--without-astgen",
            action = "store_true",
            help = "do not hand over to astgen, even if it is installed"
        ))),
        return_(parser)
    ])
}

fn run_def() -> FunctionDef {
    names!(argv, arguments, root, astgen, is_applied, command, actions, action, left);
    def(run).params([param(argv, py!(Sequence[str]))]).returns(int).body(block![
        docstring("Show the plan or do it, and return the exit code."),
        assign(arguments, py!(build_parser().parse_args(argv))),
        assign(is_applied, py!(arguments.apply && !arguments.dry_run)),
        assign(root, py!(arguments.project.resolve())),
        assign(astgen, py!(shutil.which("astgen"))),
        if_(
            py!(astgen != None && !arguments.without_astgen),
            block![
                assign(command, py!([astgen, "apply-plan", str(root)])),
                if_(is_applied, [do_(py!(command.append("--apply")))]),
                return_(py!(subprocess.run(command, check = false).returncode))
            ]
        ),
        assign(actions, py!(read_plan(root))),
        assign(
            left,
            py!(list!(
                action for action in actions if !carry_out(root, action, is_applied = is_applied)
            ))
        ),
        do_(py!(print(f!("{} files, {} of them left to do", len(actions), len(left))))),
        if_(py!(!is_applied), [do_(py!(print("nothing was written; --apply does it")))]),
        return_(py!(if left { 1 } else { 0 }))
    ])
}

fn is_object_def() -> FunctionDef {
    names!(value);
    def(is_object).params([param(value, object)]).returns(py!(TypeGuard[dict[(str, object)]])).body(
        block![
            docstring("Tell whether a value of JSON is an object."),
            return_(py!(isinstance(value, dict)))
        ],
    )
}

fn is_list_def() -> FunctionDef {
    names!(value);
    def(is_list).params([param(value, object)]).returns(py!(TypeGuard[list[object]])).body(block![
        docstring("Tell whether a value of JSON is a list."),
        return_(py!(isinstance(value, list)))
    ])
}

fn read_plan_def() -> FunctionDef {
    names!(root, error, plan, entries, actions, entry, places, action);
    def(read_plan).params([param(root, Path)]).returns(py!(list[Action])).body(block![
        docstring("Read the plan of a project; anybody may have written it."),
        try_([ann_assign(
            plan,
            object,
            py!(json.loads((root / PLAN).read_text(encoding = "utf-8")))
        )])
        .except_as(
            py!((OSError, ValueError, RecursionError)),
            error,
            [raise_from(py!(PlanError(f!("it cannot be read: {}", error))), error)]
        ),
        if_(py!(!is_object(plan)), [raise(py!(PlanError("it is not an object")))]),
        if_(
            py!(plan.get("version", VERSION) != VERSION),
            [raise(py!(PlanError(f!("it is not of version {}", VERSION))))]
        ),
        assign(entries, py!(plan.get("actions"))),
        if_(py!(!is_list(entries)), [raise(py!(PlanError("it has no list of actions")))]),
        assign(actions, py!(list!(read_action(root, entry) for entry in entries))),
        assign(places, py!(set!(action.path.casefold() for action in actions))),
        if_(
            py!(len(places) != len(actions)),
            [raise(py!(PlanError("two actions are about one file")))]
        ),
        return_(actions)
    ])
}

fn read_action_def() -> FunctionDef {
    names!(root, entry, kind, path, first, second, text, digest, found);
    def(read_action).params([param(root, Path), param(entry, object)]).returns(Action).body(block![
        docstring("Read one action, and refuse it unless it is whole and stays inside."),
        if_(py!(!is_object(entry)), [raise(py!(PlanError("an action is not an object")))]),
        assign(py!((kind, path)), py!((entry.get("type"), entry.get("path")))),
        if_(
            py!(!isinstance(kind, str) || not_in!(kind, KINDS)),
            [raise(py!(PlanError("an action has no type that is known")))]
        ),
        if_(py!(!isinstance(path, str)), [raise(py!(PlanError("an action has no path")))]),
        do_(py!(check_path(path))),
        do_(py!(place(root, path))),
        assign(py!((first, second)), py!(("content", "new_content"))),
        if_(py!(kind == "conflict"), [assign(py!((first, second)), py!((second, first)))]),
        assign(text, py!(entry.get(first, entry.get(second)))),
        if_(
            py!(!isinstance(text, str | None) || text == None && in_!(kind, WITH_TEXT)),
            [raise(py!(PlanError(f!("the action for {} has no text", path))))]
        ),
        assign(digest, py!(entry.get("theirs"))),
        assign(found, py!(sha256((text || "").encode()).hexdigest())),
        if_(
            py!(kind == "create" && digest != None && found != digest),
            [raise(py!(PlanError(f!("the text of {} is not what its digest says", path))))]
        ),
        return_(py!(Action(kind, path, text)))
    ])
}

fn check_path_def() -> FunctionDef {
    names!(path, names, name);
    def(check_path).params([param(path, str)]).returns(none()).body(block![
        docstring("Refuse a path that could lead out of the project, on any system."),
        assign(names, py!(path.split("/"))),
        if_(
            py!(len(path) > LONGEST
                || REFUSED.search(path)
                || any(generator!(is_bad_name(name) for name in names))),
            [raise(py!(PlanError(f!("the path {!r} is refused", path))))]
        )
    ])
}

fn is_bad_name_def() -> FunctionDef {
    names!(name);
    def(is_bad_name).params([param(name, str)]).returns(bool).body(block![
        docstring("Tell whether a part of a path is empty, dots, or somebody else's folder."),
        return_(py!(!name.rstrip(" .")
            || name[-1..] != name[-1..].rstrip(" .")
            || in_!(name.lower(), FOLDERS)))
    ])
}

fn place_def() -> FunctionDef {
    names!(root, path, place_, folder);
    def(place).params([param(root, Path), param(path, str)]).returns(Path).body(block![
        docstring("Find where a file is, without following a link out of the project."),
        assign(place_, py!(root / path)),
        for_(
            folder,
            py!((place_, *place_.parents)),
            block![
                if_(py!(folder == root), [break_()]),
                if_(
                    py!(folder.is_symlink()),
                    [raise(py!(PlanError(f!("{} leads through a symbolic link", path))))]
                )
            ]
        ),
        return_(place_)
    ])
}

fn carry_out_def() -> FunctionDef {
    names!(root, action, is_applied);
    def(carry_out)
        .params([param(root, Path), param(action, Action), star(), param(is_applied, bool)])
        .returns(bool)
        .body(block![
            docstring("Do what is safe of an action, or say it; tell whether that is all."),
            if_(
                py!(action.kind == "create"),
                [return_(py!(create(root, action, is_applied = is_applied)))]
            ),
            if_(
                py!(action.kind == "conflict"),
                [do_(py!(leave_conflict(root, action, is_applied = is_applied)))]
            )
            .else_([do_(py!(print(f!(
                "{:<8} {}  (left to astgen)",
                action.kind,
                action.path
            ))))]),
            return_(false)
        ])
}

fn create_def() -> FunctionDef {
    names!(root, action, is_applied, file, is_same);
    def(create)
        .params([param(root, Path), param(action, Action), star(), param(is_applied, bool)])
        .returns(bool)
        .body(block![
            docstring("Create a file, unless something is there."),
            assign(file, py!(place(root, action.path))),
            if_(
                py!(!file.exists()),
                block![
                    do_(py!(print(f!("create   {}", action.path)))),
                    if_(is_applied, [do_(py!(write_new(file, action.text || "")))]),
                    return_(true)
                ]
            ),
            assign(
                is_same,
                py!(file.is_file() && file.read_bytes() == (action.text || "").encode())
            ),
            do_(py!(print(if is_same {
                f!("done     {}", action.path)
            } else {
                f!("keep     {}  (something else is there)", action.path)
            }))),
            return_(is_same)
        ])
}

fn leave_conflict_def() -> FunctionDef {
    names!(root, action, is_applied, new);
    def(leave_conflict)
        .params([param(root, Path), param(action, Action), star(), param(is_applied, bool)])
        .returns(none())
        .body(block![
            docstring("Leave a file to a person, with what clashes beside it."),
            assign(new, py!(place(root, f!("{}.new", action.path)))),
            do_(py!(print(f!("conflict {}  (see {}.new)", action.path, action.path)))),
            if_(
                py!(is_applied && action.text != None && !new.exists()),
                [do_(py!(write_new(new, action.text)))]
            )
        ])
}

fn write_new_def() -> FunctionDef {
    names!(file, text, out, error);
    def(write_new).params([param(file, Path), param(text, str)]).returns(none()).body(block![
        docstring("Write a file that is not there, and its folders."),
        try_(block![
            do_(py!(file.parent.mkdir(parents = true, exist_ok = true))),
            with_as(
                py!(file.open("x", encoding = "utf-8", newline = "")),
                out,
                [do_(py!(out.write(text)))]
            )
        ])
        .except_as(
            OSError,
            error,
            [raise_from(py!(PlanError(f!("{} cannot be written: {}", file, error))), error)]
        )
    ])
}
