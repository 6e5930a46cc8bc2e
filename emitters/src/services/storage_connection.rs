//! `backend/app/services/storage_connection.py`: which store the settings name.

use crate::core::settings::Settings;
use crate::services::local_storage::LocalStorage;
use crate::services::s3_storage::S3Storage;
use crate::services::storage::Storage;
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.storage_connection": build_storage;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.services.storage_connection")
        .docstring("Which store the settings name.")
        .body(block![build_storage_def(spec.storage.has_bucket())])
}

fn build_storage_def(has_bucket: bool) -> FunctionDef {
    names!(settings);
    def(build_storage).params([param(settings, Settings)]).returns(Storage).body(block![
        docstring(match has_bucket {
            true => "Choose the bucket where one is named, else a folder of the server.",
            false => "Choose the folder of the server.",
        }),
        has_bucket.then(|| if_(
            py!(settings.s3_bucket != None),
            [return_(py!(S3Storage(settings, settings.s3_bucket)))]
        )),
        return_(py!(LocalStorage(settings)))
    ])
}
