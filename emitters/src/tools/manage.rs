//! `tools/manage.py`: `app.manage`, from anywhere.

use crate::python::builtins::__name__;
use crate::python::standard::{subprocess, sys};
use crate::tools::workspace::{BACKEND, backend_python};
use astgen_pyast::prelude::*;

vocabulary! {
    "manage": main;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    names!(command);
    module("manage")
        .docstring("Look after the product by hand: `python tools/manage.py --help`.")
        .body(block![
            def(main).returns(none()).body(block![
                docstring("Run `app.manage` with the Python of the backend."),
                assign(command, py!([backend_python(), "-m", "app.manage", *sys.argv[1..]])),
                do_(
                    py!(sys.exit(subprocess.run(command, cwd = BACKEND, check = false).returncode))
                )
            ]),
            if_(py!(__name__ == "__main__"), [do_(py!(main()))])
        ])
}
