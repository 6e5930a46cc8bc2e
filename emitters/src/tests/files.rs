//! `backend/tests/files.py`: the files of an organization, as those see them who use the API.

use crate::models::package::StoredFile;
use crate::models::stored_file::FileStatus;
use crate::python::builtins::{bytes, dict, int, len, list, object, property, str};
use crate::python::httpx2::{AsyncClient, Response};
use crate::python::sqlalchemy::{func, select, update};
use crate::python::standard::{Any, AsyncIterable, UUID, dataclass, sha256, uuid4};
use crate::tests::world::{Caller, World};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.files": TEXT, CONTENT, Files, files_of, send;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.files")
        .docstring("The files of an organization, as those see them who use the API.")
        .body(block![
            assign(TEXT, "text/plain"),
            assign(CONTENT, py!("Grüße\n".encode())),
            files_class(),
            files_of_def(),
            send_def()
        ])
}

fn files_class() -> ClassDef {
    names!(world, caller, organization_id);
    class(Files).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The files of one organization."),
        annotate(world, World),
        annotate(caller, Caller),
        annotate(organization_id, str),
        files_path(),
        files_upload(),
        files_stored(),
        files_announce(),
        files_signed(),
        files_complete(),
        files_listed(),
        files_address(),
        files_add(),
        files_count(),
        files_change()
    ])
}

fn files_path() -> FunctionDef {
    def("path").decorator(property).params([untyped("self")]).returns(str).body(block![
        docstring("Return where the files are."),
        return_(py!(f!("/organizations/{}/files", self.organization_id)))
    ])
}

fn files_upload() -> FunctionDef {
    names!(content, name, content_type, headers, sent);
    async_def("upload")
        .params([
            untyped("self"),
            param(content, py!(bytes | AsyncIterable[bytes])).default(CONTENT),
            star(),
            param(name, str).default("notes.txt"),
            param(content_type, str).default(TEXT),
            kwargs(headers, str),
        ])
        .returns(Response)
        .body(block![
            docstring("Send a file as the body."),
            assign(
                sent,
                py!(dict!(
                    **self.caller.headers,
                    "Content-Type" => content_type,
                    **headers
                ))
            ),
            return_(py!(self
                .world
                .http
                .post(
                    f!("{}/upload", self.path),
                    params = dict!("name" => name),
                    content = content,
                    headers = sent
                )
                .await))
        ])
}

fn files_stored() -> FunctionDef {
    names!(response, file_id);
    async_def("stored").params([untyped("self")]).returns(str).body(block![
        docstring("Send a file, and return its id."),
        assign(response, py!(self.upload().await)),
        assert_that(py!(response.status_code == 201), py!(response.text)),
        ann_assign(file_id, str, py!(response.json()["id"])),
        return_(file_id)
    ])
}

fn files_announce() -> FunctionDef {
    names!(content, content_type, body);
    async_def("announce")
        .params([
            untyped("self"),
            param(content, bytes).default(CONTENT),
            star(),
            param(content_type, str).default(TEXT),
        ])
        .returns(Response)
        .body(block![
            docstring("Ask for the request that sends a file to the store."),
            assign(
                body,
                py!(dict!(
                    "name" => "notes.txt",
                    "content_type" => content_type,
                    "size" => len(content),
                    "sha256" => sha256(content).hexdigest()
                ))
            ),
            return_(py!(self.caller.post(f!("{}/sign-upload", self.path), body).await))
        ])
}

fn files_signed() -> FunctionDef {
    names!(content, content_type, response, answer);
    async_def("signed")
        .params([
            untyped("self"),
            param(content, bytes).default(CONTENT),
            star(),
            param(content_type, str).default(TEXT),
        ])
        .returns(py!(dict[(str, Any)]))
        .body(block![
            docstring("Return the request that sends a file to the store."),
            assign(response, py!(self.announce(content, content_type = content_type).await)),
            assert_that(py!(response.status_code == 201), py!(response.text)),
            ann_assign(answer, py!(dict[(str, Any)]), py!(response.json())),
            return_(answer)
        ])
}

fn files_complete() -> FunctionDef {
    names!(file_id);
    async_def("complete").params([untyped("self"), param(file_id, str)]).returns(Response).body(
        block![
            docstring("Say that a file is in the store."),
            return_(py!(self.caller.post(f!("{}/{}/complete", self.path, file_id), None).await))
        ],
    )
}

fn files_listed() -> FunctionDef {
    names!(page);
    async_def("listed").params([untyped("self")]).returns(py!(list[str])).body(block![
        docstring("List the ids of the files."),
        assign(page, py!(self.caller.get(self.path).await.json())),
        return_(py!(list!(item["id"] for item in page["items"])))
    ])
}

fn files_address() -> FunctionDef {
    names!(file_id, response, location);
    async_def("address").params([untyped("self"), param(file_id, str)]).returns(str).body(block![
        docstring("Return the signed address of a file."),
        assign(response, py!(self.caller.get(f!("{}/{}/content", self.path, file_id)).await)),
        assert_that(py!(response.status_code == 307), py!(response.text)),
        ann_assign(location, str, py!(response.headers["Location"])),
        return_(location)
    ])
}

fn files_add() -> FunctionDef {
    names!(size, organization_id, session);
    async_def("add").params([untyped("self"), param(size, int)]).returns(none()).body(block![
        docstring("Have a file of a size, without its bytes."),
        assign(organization_id, py!(UUID(self.organization_id))),
        async_with_as(
            py!(self.world.database.tenant_session(organization_id)),
            session,
            [do_(py!(session.add(StoredFile(
                id = uuid4(),
                name = "large",
                content_type = TEXT,
                size = size,
                status = FileStatus.STORED
            ))))]
        )
    ])
}

fn files_count() -> FunctionDef {
    names!(organization_id, statement, session);
    async_def("count").params([untyped("self")]).returns(int).body(block![
        docstring("Count the rows, of files that are still to come too."),
        assign(organization_id, py!(UUID(self.organization_id))),
        assign(statement, py!(select(func.count()).select_from(StoredFile))),
        async_with_as(
            py!(self.world.database.tenant_session(organization_id)),
            session,
            [return_(py!(session.scalars(statement).await.one()))]
        )
    ])
}

fn files_change() -> FunctionDef {
    names!(values, organization_id, session);
    async_def("change").params([untyped("self"), kwargs(values, object)]).returns(none()).body(
        block![
            docstring("Change every row behind the back of the application."),
            assign(organization_id, py!(UUID(self.organization_id))),
            async_with_as(
                py!(self.world.database.tenant_session(organization_id)),
                session,
                [do_(py!(session.execute(update(StoredFile).values(values)).await))]
            )
        ],
    )
}

fn files_of_def() -> FunctionDef {
    names!(world, caller);
    async_def(files_of).params([param(world, World), param(caller, Caller)]).returns(Files).body(
        block![
            docstring("Return the files of the organization that came with an account."),
            return_(py!(Files(world, caller, caller.organization().await)))
        ],
    )
}

fn send_def() -> FunctionDef {
    names!(http, signed, content);
    async_def(send)
        .params([
            param(http, AsyncClient),
            param(signed, py!(dict[(str, Any)])),
            param(content, bytes).default(CONTENT),
        ])
        .returns(Response)
        .body(block![
            docstring("Send the request that was signed."),
            return_(py!(http
                .request(
                    signed["method"],
                    signed["url"],
                    content = content,
                    headers = signed["headers"]
                )
                .await))
        ])
}
