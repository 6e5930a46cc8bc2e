//! The files that are not Python.
