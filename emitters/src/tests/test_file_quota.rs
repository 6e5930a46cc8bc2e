//! `backend/tests/test_file_quota.py`: how much an organization may keep in files.

use crate::core::settings::has_own_quota;
use crate::models::base::utcnow;
use crate::python::anyio::anyio;
use crate::python::builtins::{int, list, range, sorted};
use crate::python::pytest::pytest;
use crate::services::file_quota::MEGABYTE;
use crate::spec::{STORAGE_LIMIT, Spec};
use crate::tests::conftest::STORAGE_QUOTA_OF_TESTS;
use crate::tests::files::{Files, TEXT};
use crate::tests::world::World;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_file_quota": ALLOWED, SIZE;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Module> {
    let (allowed, code) = quota(spec)?;
    let size = spec.storage.max_file_size.saturating_sub(1).min(600_000);
    Some(
        module("tests.test_file_quota")
            .docstring("How much an organization may keep in files.")
            .body(block![
                assign(ALLOWED, py!({ allowed } * MEGABYTE)),
                assign(SIZE, size),
                files_def(spec),
                test_a_file_needs_room(code),
                test_two_files_do_not_take_the_same_room(),
                test_a_deleted_file_makes_room(),
                test_what_never_comes_takes_no_room_for_long(),
                test_a_file_that_is_refused_takes_no_room()
            ]),
    )
}

/// The megabytes that an organization without a subscription may keep, and what one is told that wants more;
/// `None` where there is no end to it.
fn quota(spec: &Spec) -> Option<(u32, &'static str)> {
    if has_own_quota(spec) {
        return Some((STORAGE_QUOTA_OF_TESTS, "storage_full"));
    }
    let plan = spec.billing.as_ref()?.free_plan();
    let limit = plan.limit(STORAGE_LIMIT)?;
    Some((limit, "plan_limit_reached"))
}

fn files_def(spec: &Spec) -> FunctionDef {
    names!(world, ada);
    let organization = match spec.billing {
        Some(_) => py!(world.unpaid_organization(ada).await),
        None => py!(ada.organization().await),
    };
    async_def("files")
        .decorator(py!(pytest.fixture))
        .params([param(world, World)])
        .returns(Files)
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            return_(py!(Files(world, ada, organization)))
        ])
}

fn test_a_file_needs_room(code: &str) -> FunctionDef {
    names!(files, refused);
    async_def("test_a_file_needs_room").params([param(files, Files)]).returns(none()).body(block![
        do_(py!(files.add(ALLOWED - SIZE).await)),
        assign(refused, py!(files.upload(b"a" * (SIZE + 1)).await)),
        assert_(py!(refused.status_code == 403)),
        assert_(py!(refused.json()["code"] == code)),
        assert_(py!(files.announce(b"a" * (SIZE + 1)).await.status_code == 403)),
        assert_(py!(files.count().await == 1)),
        assert_(py!(files.upload(b"a" * SIZE).await.status_code == 201)),
        assert_(py!(files.upload(b"a").await.status_code == 403))
    ])
}

fn test_two_files_do_not_take_the_same_room() -> FunctionDef {
    names!(files, statuses, upload, announce, tasks, _turn);
    async_def("test_two_files_do_not_take_the_same_room")
        .params([param(files, Files)])
        .returns(none())
        .body(block![
            do_(py!(files.add(ALLOWED - SIZE).await)),
            ann_assign(statuses, py!(list[int]), py!([])),
            {
                async_def(upload)
                    .returns(none())
                    .body([do_(py!(statuses.append(files.upload(b"a" * SIZE).await.status_code)))])
            },
            {
                async_def(announce).returns(none()).body([do_(py!(
                    statuses.append(files.announce(b"a" * SIZE).await.status_code)
                ))])
            },
            async_with_as(
                py!(anyio.create_task_group()),
                tasks,
                [for_(
                    _turn,
                    py!(range(4)),
                    block![
                        do_(py!(tasks.start_soon(upload))),
                        do_(py!(tasks.start_soon(announce)))
                    ]
                )]
            ),
            assert_(py!(sorted(statuses) == [201] + 7 * [403])),
            assert_(py!(files.count().await == 2))
        ])
}

fn test_a_deleted_file_makes_room() -> FunctionDef {
    names!(files, file_id);
    async_def("test_a_deleted_file_makes_room").params([param(files, Files)]).returns(none()).body(
        block![
            do_(py!(files.add(ALLOWED - SIZE).await)),
            assign(file_id, py!(files.upload(b"a" * SIZE).await.json()["id"])),
            assert_(py!(files.upload(b"a").await.status_code == 403)),
            do_(py!(files.caller.delete(f!("{}/{}", files.path, file_id)).await)),
            assert_(py!(files.upload(b"a").await.status_code == 201))
        ],
    )
}

fn test_what_never_comes_takes_no_room_for_long() -> FunctionDef {
    names!(files);
    async_def("test_what_never_comes_takes_no_room_for_long")
        .params([param(files, Files)])
        .returns(none())
        .body(block![
            do_(py!(files.add(ALLOWED - SIZE).await)),
            do_(py!(files.signed(b"a" * SIZE).await)),
            assert_(py!(files.upload(b"a").await.status_code == 403)),
            do_(py!(files.change(expires_at = utcnow()).await)),
            assert_(py!(files.upload(b"a").await.status_code == 201))
        ])
}

fn test_a_file_that_is_refused_takes_no_room() -> FunctionDef {
    names!(files, refused);
    async_def("test_a_file_that_is_refused_takes_no_room")
        .params([param(files, Files)])
        .returns(none())
        .body(block![
            do_(py!(files.add(ALLOWED - SIZE).await)),
            assign(refused, py!(files.upload(b"a" * SIZE, content_type = "image/png").await)),
            assert_(py!(refused.status_code == 409)),
            assert_(py!(files.upload(b"a" * SIZE, content_type = TEXT).await.status_code == 201))
        ])
}
