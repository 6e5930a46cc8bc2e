//! Without these arguments the loader may pick another libpython than the one pyo3 was built for.
fn main() {
    pyo3_build_config::add_libpython_rpath_link_args();
}
