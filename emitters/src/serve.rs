//! `backend/app/serve.py`: the server of the image: `python -m app.serve`.

use crate::core::metrics::FOLDER_VARIABLE;
use crate::python::builtins::__name__;
use crate::python::standard::{Path, os, sys};
use crate::python::uvicorn::uvicorn;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.serve": FOLDER, main, empty;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.serve")
        .docstring("The server of the image: `python -m app.serve` takes the options of uvicorn.")
        .body(block![
            assign(FOLDER, FOLDER_VARIABLE),
            main_def(),
            empty_def(),
            if_(py!(__name__ == "__main__"), [do_(py!(main()))])
        ])
}

fn main_def() -> FunctionDef {
    names!(folder);
    def(main).returns(none()).body(block![
        docstring(
            "Forget what an earlier start counted, and serve.\n\
             \n\
             No worker is there yet, so none can lose what it counts: a container that is\n\
             started again has the files of its last run."
        ),
        assign(folder, py!(os.environ.get(FOLDER))),
        if_(py!(folder != None), [do_(py!(empty(Path(folder))))]),
        do_(py!(uvicorn
            .main(["--factory", "app.main:create_app", *sys.argv[1..]], prog_name = "uvicorn")))
    ])
}

fn empty_def() -> FunctionDef {
    names!(folder, file);
    def(empty).params([param(folder, Path)]).returns(none()).body(block![
        docstring("Remove the files that processes counted in."),
        for_(file, py!(folder.glob("*.db")), [do_(py!(file.unlink()))])
    ])
}
