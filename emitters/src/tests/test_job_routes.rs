//! `backend/tests/test_job_routes.py`: the jobs of an organization, as its members see them.

use crate::core::jobs::enqueue;
use crate::core::tenancy::bind_tenant;
use crate::models::base::utcnow;
use crate::models::job::JobStatus;
use crate::models::package::Job;
use crate::python::builtins::{list, object, str};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::update;
use crate::python::standard::{Any, UUID, timedelta, uuid4};
use crate::services::maintenance::{Nothing, PRUNE};
use crate::spec::{Role, Spec};
use crate::tests::casting::bystander;
use crate::tests::world::{Caller, World};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_job_routes": Jobs, jobs;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.test_job_routes")
        .docstring("The jobs of an organization, as its members see them.")
        .body(block![
            jobs_class(),
            jobs_def(),
            test_a_job_is_seen(),
            test_jobs_are_listed_by_status(),
            test_the_jobs_of_others_are_not_there(),
            bystander(spec).map(test_not_every_role_sees_jobs),
            test_a_job_that_waits_can_be_called_off(),
            test_a_dead_job_can_be_set_aside(),
            test_a_dead_job_can_be_tried_again(),
            test_there_is_no_such_job()
        ])
}

fn jobs_class() -> ClassDef {
    class(Jobs).body(block![
        docstring("The jobs of Ada's organization."),
        jobs_init(),
        jobs_add(),
        jobs_listed()
    ])
}

fn jobs_init() -> FunctionDef {
    names!(world, ada, organization_id);
    def("__init__")
        .params([
            untyped("self"),
            param(world, World),
            param(ada, Caller),
            param(organization_id, str),
        ])
        .returns(none())
        .body(block![
            docstring("Start with none."),
            assign(py!(self.world), world),
            assign(py!(self.ada), ada),
            assign(py!(self.organization_id), organization_id),
            assign(py!(self.path), py!(f!("/organizations/{}/jobs", organization_id)))
        ])
}

fn jobs_add() -> FunctionDef {
    names!(values, session, later, job, change);
    async_def("add").params([untyped("self"), kwargs(values, object)]).returns(str).body(block![
        docstring("Store a job that waits, and change it."),
        async_with_as(
            py!(self.world.database.session()),
            session,
            block![
                do_(py!(bind_tenant(session, UUID(self.organization_id)).await)),
                assign(later, py!(timedelta(hours = 1))),
                assign(job, py!(enqueue(session, PRUNE, Nothing(), delay = later))),
                do_(py!(session.flush().await)),
                assign(change, py!(update(Job).r#where(Job.id == job.id))),
                do_(py!(session.execute(change.values(dict!("error" => None, **values))).await)),
                do_(py!(session.commit().await))
            ]
        ),
        return_(py!(str(job.id)))
    ])
}

fn jobs_listed() -> FunctionDef {
    names!(query, page);
    async_def("listed")
        .params([untyped("self"), param(query, str).default("")])
        .returns(py!(list[Any]))
        .body(block![
            docstring("List the ids of the jobs."),
            assign(page, py!(self.ada.get(f!("{}{}", self.path, query)).await.json())),
            return_(py!(list!(item["id"] for item in page["items"])))
        ])
}

fn jobs_def() -> FunctionDef {
    names!(world, ada);
    async_def(jobs).decorator(py!(pytest.fixture)).params([param(world, World)]).returns(Jobs).body(
        block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            return_(py!(Jobs(world, ada, ada.organization().await)))
        ],
    )
}

fn test_a_job_is_seen() -> FunctionDef {
    names!(job_id, read);
    async_def("test_a_job_is_seen").params([param(jobs, Jobs)]).returns(none()).body(block![
        assign(job_id, py!(jobs.add().await)),
        assert_(py!(jobs.listed().await == [job_id])),
        assign(read, py!(jobs.ada.get(f!("{}/{}", jobs.path, job_id)).await.json())),
        assert_(py!(read["kind"] == PRUNE.name)),
        assert_(py!(read["status"] == "queued")),
        assert_(py!(not_in!("payload", read)))
    ])
}

fn test_jobs_are_listed_by_status() -> FunctionDef {
    names!(dead);
    async_def("test_jobs_are_listed_by_status").params([param(jobs, Jobs)]).returns(none()).body(
        block![
            do_(py!(jobs.add().await)),
            assign(dead, py!(jobs.add(status = JobStatus.DEAD).await)),
            assert_(py!(jobs.listed("?status=dead").await == [dead])),
            assert_(py!(jobs.listed("?status=running").await == [])),
            assert_(py!(jobs.ada.get(f!("{}?status=odd", jobs.path)).await.status_code == 422))
        ],
    )
}

fn test_the_jobs_of_others_are_not_there() -> FunctionDef {
    names!(world, job_id, eve, own, path, act);
    async_def("test_the_jobs_of_others_are_not_there")
        .params([param(jobs, Jobs), param(world, World)])
        .returns(none())
        .body(block![
            assign(job_id, py!(jobs.add().await)),
            assign(eve, py!(world.sign_up("eve@example.com").await)),
            assign(own, py!(f!("/organizations/{}/jobs", eve.organization().await))),
            assert_(py!(eve.get(own).await.json()["items"] == [])),
            for_(
                path,
                py!((f!("{}/{}", own, job_id), f!("{}/{}", jobs.path, job_id), jobs.path)),
                [assert_(py!(eve.get(path).await.status_code == 404))]
            ),
            for_(
                act,
                py!(("retry", "cancel")),
                [assert_(py!(
                    eve.post(f!("{}/{}/{}", own, job_id, act), None).await.status_code == 404
                ))]
            )
        ])
}

fn test_not_every_role_sees_jobs(role: &Role) -> FunctionDef {
    let role = role.name.as_str();
    names!(world, member);
    async_def("test_not_every_role_sees_jobs")
        .params([param(jobs, Jobs), param(world, World)])
        .returns(none())
        .body(block![
            assign(member, py!(world.member(jobs.ada, jobs.organization_id, role).await)),
            assert_(py!(member.get(jobs.path).await.status_code == 403))
        ])
}

fn test_a_job_that_waits_can_be_called_off() -> FunctionDef {
    names!(job_id, path, canceled);
    async_def("test_a_job_that_waits_can_be_called_off")
        .params([param(jobs, Jobs)])
        .returns(none())
        .body(block![
            assign(job_id, py!(jobs.add().await)),
            assign(path, py!(f!("{}/{}", jobs.path, job_id))),
            assign(canceled, py!(jobs.ada.post(f!("{}/cancel", path), None).await.json())),
            assert_(py!(canceled["status"] == "canceled")),
            assert_(py!(canceled["finished_at"] != None)),
            assert_(py!(jobs.ada.post(f!("{}/cancel", path), None).await.status_code == 409)),
            assert_(py!(jobs.ada.post(f!("{}/retry", path), None).await.status_code == 409))
        ])
}

fn test_a_dead_job_can_be_set_aside() -> FunctionDef {
    names!(dead, path, canceled);
    async_def("test_a_dead_job_can_be_set_aside").params([param(jobs, Jobs)]).returns(none()).body(
        block![
            assign(dead, py!(dict!("status" => JobStatus.DEAD, "finished_at" => utcnow()))),
            assign(path, py!(f!("{}/{}", jobs.path, jobs.add(**dead).await))),
            assign(canceled, py!(jobs.ada.post(f!("{}/cancel", path), None).await)),
            assert_(py!((canceled.status_code, canceled.json()["status"]) == (200, "canceled")))
        ],
    )
}

fn test_a_dead_job_can_be_tried_again() -> FunctionDef {
    names!(dead, path, queued, done);
    async_def("test_a_dead_job_can_be_tried_again")
        .params([param(jobs, Jobs)])
        .returns(none())
        .body(block![
            assign(
                dead,
                py!(dict!("status" => JobStatus.DEAD, "attempts" => 8, "finished_at" => utcnow()))
            ),
            assign(path, py!(f!("{}/{}", jobs.path, jobs.add(**dead).await))),
            assign(queued, py!(jobs.ada.post(f!("{}/retry", path), None).await.json())),
            assert_(py!((queued["status"], queued["attempts"]) == ("queued", 0))),
            assign(done, py!(jobs.ada.get(path).await.json())),
            assert_(py!((done["status"], done["attempts"]) == ("succeeded", 1)))
        ])
}

fn test_there_is_no_such_job() -> FunctionDef {
    names!(response);
    async_def("test_there_is_no_such_job").params([param(jobs, Jobs)]).returns(none()).body(block![
        assign(response, py!(jobs.ada.get(f!("{}/{}", jobs.path, uuid4())).await)),
        assert_(py!(response.status_code == 404))
    ])
}
