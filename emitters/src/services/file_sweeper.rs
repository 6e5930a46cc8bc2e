//! `backend/app/services/file_sweeper.py`: what is left of files: uploads that never came, and bytes that
//! nobody has.

use crate::core::jobs::JobKind;
use crate::models::base::utcnow;
use crate::models::stored_file::StoredFile;
use crate::python::builtins::{list, set};
use crate::python::sqlalchemy::select;
use crate::python::standard::{UUID, defaultdict, timedelta};
use crate::services::job_context::JobContext;
use crate::services::maintenance::Nothing;
use crate::services::resources::Resources;
use crate::services::storage::Place;
use crate::services::tenants::every_tenant;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.file_sweeper": GRACE, SWEEP_FILES, sweep_files, expire_uploads, find_orphans;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.file_sweeper")
        .docstring("What is left of files: uploads that never came, and bytes that nobody has.")
        .body(block![
            assign(GRACE, py!(timedelta(hours = 1)))
                .comment("An upload that is under way may be in the store before its row says so."),
            assign(SWEEP_FILES, py!(JobKind("sweep_files", Nothing, timeout_seconds = 900))),
            sweep_files_def(),
            expire_uploads_def(),
            find_orphans_def()
        ])
}

fn sweep_files_def() -> FunctionDef {
    names!(context, _payload, resources, places, place);
    async_def(sweep_files)
        .params([param(context, JobContext), param(_payload, Nothing)])
        .returns(none())
        .body(block![
            docstring("Remove the rows without bytes, and then the bytes without rows."),
            assign(resources, py!(context.resources)),
            do_(py!(expire_uploads(resources).await)),
            async_for(
                places,
                py!(resources.storage.places(utcnow() - GRACE)),
                [for_(
                    place,
                    py!(find_orphans(resources, places).await),
                    [do_(py!(resources.storage.delete(place).await))]
                )]
            )
        ])
}

fn expire_uploads_def() -> FunctionDef {
    names!(resources, session, organization_id, late, file);
    async_def(expire_uploads).params([param(resources, Resources)]).returns(none()).body(block![
        docstring("Remove the files that were announced and did not come in time."),
        for_(
            organization_id,
            py!(every_tenant(resources.database).await),
            [async_with_as(
                py!(resources.database.tenant_session(organization_id)),
                session,
                block![
                    assign(late, py!(select(StoredFile).r#where(StoredFile.expires_at < utcnow()))),
                    for_(
                        file,
                        py!(session.scalars(late.with_for_update(skip_locked = true)).await),
                        [do_(py!(session.delete(file).await))]
                    )
                ]
            )]
        )
    ])
}

fn find_orphans_def() -> FunctionDef {
    names!(
        resources,
        places,
        by_organization,
        place,
        orphans,
        organization_id,
        file_ids,
        known,
        session,
        unknown
    );
    async_def(find_orphans)
        .params([param(resources, Resources), param(places, py!(list[Place]))])
        .returns(py!(list[Place]))
        .body(block![
            docstring("Select the places in the store that no row knows."),
            ann_assign(by_organization, py!(defaultdict[(UUID, set[UUID])]), py!(defaultdict(set))),
            for_(
                place,
                places,
                [do_(py!(by_organization[place.organization_id].add(place.file_id)))]
            ),
            ann_assign(orphans, py!(list[Place]), py!([])),
            for_(
                py!((organization_id, file_ids)),
                py!(by_organization.items()),
                block![
                    assign(known, py!(select(StoredFile.id).r#where(StoredFile.id.in_(file_ids)))),
                    async_with_as(
                        py!(resources.database.tenant_session(organization_id)),
                        session,
                        [assign(unknown, py!(file_ids.difference(session.scalars(known).await)))]
                    ),
                    do_(py!(orphans.extend(
                        generator!(Place(organization_id, file_id) for file_id in unknown)
                    )))
                ]
            ),
            return_(orphans)
        ])
}
