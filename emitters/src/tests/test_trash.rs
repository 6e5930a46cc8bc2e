//! `backend/tests/test_trash.py`: what was deleted long ago goes for good.

use crate::core::settings::Settings;
use crate::core::soft_delete::INCLUDE_DELETED;
use crate::entity_names::model;
use crate::manage::run;
use crate::models::base::utcnow;
use crate::python::builtins::{list, range, str};
use crate::python::sqlalchemy::{select, update};
use crate::python::standard::{UUID, asyncio, timedelta};
use crate::services::job_registry::SCHEDULES;
use crate::services::trash::EMPTY_TRASH;
use crate::spec::{Entity, Spec};
use crate::tests::entity_rows::{Needs, most_rows};
use crate::tests::factories;
use crate::tests::world::{first_organization, sign_up, world_test};
use astgen_pyast::prelude::*;

/// How many rows come back at once.
const ROWS: u32 = 5;

/// The module; none where the tests can make no row that can be restored.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Module> {
    let needs = Needs::of(spec);
    let is_made = |entity: &&Entity| most_rows(&needs, entity).is_some_and(|most| most >= 2);
    let restorable = || spec.entities.iter().filter(|entity| entity.soft_delete);
    let entity = restorable().find(is_made)?;
    let has_many = |entity: &&Entity| most_rows(&needs, entity).is_some_and(|most| most >= ROWS);
    // What counts against a limit locks who pays for it too.
    let counted = restorable().filter(|entity| entity.limit.is_some()).find(has_many);
    let parallel = counted.or_else(|| restorable().find(has_many));
    Some(module("tests.test_trash").docstring("What was deleted long ago goes for good.").body(
        block![
            test_old_rows_go_every_day(entity),
            test_somebody_asks_for_it(),
            parallel.map(test_rows_come_back_at_once)
        ],
    ))
}

fn test_old_rows_go_every_day(entity: &Entity) -> FunctionDef {
    names!(world, ada, organization_id, old, fresh, row, settings, session, days, moved, left);
    let (model, create) = (model(&entity.names), factories::create(&entity.names));
    let path = path_of_row(entity);
    world_test("test_old_rows_go_every_day").params([param(settings, Settings)]).body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(old, py!(create(ada, organization_id).await)),
        assign(fresh, py!(create(ada, organization_id).await)),
        for_(row, py!((old, fresh)), [assert_(py!(ada.delete({ path }).await.status_code == 204))]),
        assign(days, py!(timedelta(days = settings.deleted_row_days))),
        assign(
            moved,
            py!(update(model)
                .r#where(model.id == UUID(old["id"]))
                .values(deleted_at = utcnow() - days)
                .execution_options(**INCLUDE_DELETED))
        ),
        async_with_as(
            py!(world.database.tenant_session(UUID(organization_id))),
            session,
            [do_(py!(session.execute(moved).await))]
        ),
        assert_(py!(run(settings, ["run-sweeper"]).await == 0)).paragraph(),
        assign(left, py!(select(model.id).execution_options(**INCLUDE_DELETED))).paragraph(),
        async_with_as(
            py!(world.database.tenant_session(UUID(organization_id))),
            session,
            [assert_(py!(session.scalars(left).await.all() == [UUID(fresh["id"])]))]
        )
    ])
}

/// `f"/organizations/{organization_id}/projects/{row['id']}"`
fn path_of_row(entity: &Entity) -> Expr {
    names!(organization_id, row);
    f_string([
        string("/organizations/"),
        formatted(organization_id),
        string(format!("/{}/", entity.names.path)),
        formatted(py!(row["id"])),
    ])
}

/// On PostgreSQL each waits for its turn, and for nothing that another one has.
fn test_rows_come_back_at_once(entity: &Entity) -> FunctionDef {
    names!(world, ada, organization_id, paths, path, row, restores, answers, answer);
    let create = factories::create(&entity.names);
    world_test("test_rows_come_back_at_once").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        ann_assign(paths, py!(list[str]), py!([])),
        for_(
            py!(_),
            py!(range({ ROWS })),
            block![
                assign(row, py!(create(ada, organization_id).await)),
                do_(py!(paths.append({ path_of_row(entity) }))),
                assert_(py!(ada.delete(paths[-1]).await.status_code == 204))
            ]
        ),
        assign(restores, py!(list!(ada.post(f!("{}/restore", path), None) for path in paths))),
        assign(answers, py!(asyncio.gather(*restores).await)),
        assert_(py!(list!(answer.status_code for answer in answers) == [200] * { ROWS }))
    ])
}

fn test_somebody_asks_for_it() -> FunctionDef {
    names!(schedule);
    def("test_somebody_asks_for_it").returns(none()).body(block![assert_(py!(in_!(
        EMPTY_TRASH,
        list!(schedule.kind for schedule in SCHEDULES)
    )))])
}
