//! `backend/tests/test_files.py`: files of an organization, in a folder of the server.

use crate::core::errors::BadRequestError;
use crate::core::file_types::{MAX_FILE_BYTES, attachment, begins_like, display_name};
use crate::models::audit_event::AuditAction;
use crate::models::base::utcnow;
use crate::models::package::AuditEvent;
use crate::python::builtins::{bool, bytes, dict, int, isinstance, len, list, range, str};
use crate::python::fastapi::{ClientDisconnect, HTTPException};
use crate::python::httpx2::Response;
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::select;
use crate::python::standard::{AsyncGenerator, HTTPStatus, Path, UUID, timedelta, uuid4};
use crate::services::file_receiver::received;
use crate::services::local_storage::LocalStorage;
use crate::services::storage::{Blob, Place, Storage};
use crate::tests::files::{CONTENT, Files, TEXT, files_of, send};
use crate::tests::world::World;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_files": PNG, HTML, local_storage, blob_for, code_of;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.test_files")
        .docstring("Files of an organization, in a folder of the server.")
        .body(block![
            assign(PNG, py!(b"\x89PNG\r\n\x1a\n....")),
            assign(HTML, py!(b"<!doctype html><script>alert(1)</script>")),
            local_storage_def(),
            blob_for_def(),
            code_of_def(),
            test_a_file_comes_back_as_it_was_sent(),
            test_a_file_can_be_sent_to_the_store(),
            test_a_name_leads_nowhere(),
            test_a_name_cannot_leave_its_header(),
            test_a_page_is_no_file(),
            test_the_first_bytes_tell_the_type(),
            test_a_file_can_be_too_large(),
            test_a_body_is_not_read_on_when_it_is_too_large(),
            test_a_body_can_end_early(),
            test_a_body_without_a_length_is_taken(),
            test_an_address_is_good_for_one_thing(),
            test_an_address_expires(),
            test_an_address_is_for_some_bytes_only(),
            test_an_address_takes_nothing_any_more(),
            test_the_store_is_not_believed(),
            test_a_disguise_is_seen_in_the_store(),
            test_a_file_can_come_too_late(),
            test_a_deleted_file_is_gone(),
            test_the_files_of_others_are_not_there(),
            test_what_happens_to_a_file_is_written_down(),
            test_nobody_sends_a_file_without_a_token()
        ])
}

fn local_storage_def() -> FunctionDef {
    names!(world, storage);
    def(local_storage).params([param(world, World)]).returns(LocalStorage).body(block![
        docstring("Return the store."),
        ann_assign(storage, Storage, py!(world.app.state.storage)),
        assert_(py!(isinstance(storage, LocalStorage))),
        return_(storage)
    ])
}

fn blob_for_def() -> FunctionDef {
    names!(files);
    def(blob_for).params([param(files, Files)]).returns(Blob).body(block![
        docstring("Describe a file that nobody has announced."),
        return_(py!(Blob(Place(UUID(files.organization_id), uuid4()), TEXT, 1, "0" * 64)))
    ])
}

fn code_of_def() -> FunctionDef {
    names!(response, code);
    def(code_of).params([param(response, Response)]).returns(str).body(block![
        docstring("Return the code of a problem."),
        assert_(py!(response.headers["Content-Type"] == "application/problem+json")),
        ann_assign(code, str, py!(response.json()["code"])),
        return_(code)
    ])
}

fn test_a_file_comes_back_as_it_was_sent() -> FunctionDef {
    names!(files, world, sent, file, read);
    async_def("test_a_file_comes_back_as_it_was_sent")
        .params([param(files, Files), param(world, World)])
        .returns(none())
        .body(block![
            assign(
                sent,
                py!(files.upload(PNG, name = "logo.png", content_type = "image/png").await)
            ),
            assert_(py!(sent.status_code == 201)),
            assign(file, py!(sent.json())),
            assert_(py!((file["name"], file["size"]) == ("logo.png", len(PNG)))),
            assert_(
                py!(files.caller.get(f!("{}/{}", files.path, file["id"])).await.json() == file)
            ),
            assert_(py!(files.listed().await == [file["id"]])),
            assign(read, py!(world.http.get(files.address(file["id"]).await).await)),
            assert_(py!(read.content == PNG)),
            assert_(py!(read.headers["Content-Type"] == "image/png")),
            assert_(py!(read.headers["Content-Disposition"].startswith("attachment"))),
            assert_(py!(read.headers["X-Content-Type-Options"] == "nosniff")),
            assert_(py!(in_!("sandbox", read.headers["Content-Security-Policy"])))
        ])
}

fn test_a_file_can_be_sent_to_the_store() -> FunctionDef {
    names!(files, world, signed, file_id, completed, read);
    async_def("test_a_file_can_be_sent_to_the_store")
        .params([param(files, Files), param(world, World)])
        .returns(none())
        .body(block![
            assign(signed, py!(files.signed().await)),
            assign(file_id, py!(signed["file"]["id"])),
            assert_(py!(files.listed().await == [])),
            assert_(py!(
                files.caller.get(f!("{}/{}", files.path, file_id)).await.status_code == 404
            )),
            assert_(py!(code_of(files.complete(file_id).await) == "upload_missing")),
            assert_(py!(send(world.http, signed).await.status_code == 204)),
            assign(completed, py!(files.complete(file_id).await)),
            assert_that(py!(completed.status_code == 200), py!(completed.text)),
            assert_(py!(files.complete(file_id).await.json() == completed.json())),
            assert_(py!(files.listed().await == [file_id])),
            assign(read, py!(world.http.get(files.address(file_id).await).await)),
            assert_(py!(read.content == CONTENT))
        ])
}

fn test_a_name_leads_nowhere() -> FunctionDef {
    names!(files, world, sent, shown, response, stored, key);
    async_def("test_a_name_leads_nowhere")
        .decorator(py!(pytest.mark.parametrize(
            ("sent", "shown"),
            [
                ("../../etc/passwd", "passwd"),
                ("C:\\temp\\plan.txt", "plan.txt"),
                ("a\u{202e}gnp.exe", "agnp.exe"),
                ("..", "file"),
                ("é\r\n.txt", "é.txt")
            ]
        )))
        .params([param(files, Files), param(world, World), param(sent, str), param(shown, str)])
        .returns(none())
        .body(block![
            assign(response, py!(files.upload(name = sent).await)),
            assert_(py!(chain!(response.json()["name"], "==", shown, "==", display_name(sent)))),
            assign(py!((stored,)), py!(local_storage(world).folder.glob("*/*"))),
            assign(key, py!(Path(files.organization_id) / response.json()["id"])),
            assert_(py!(stored == local_storage(world).folder / key))
        ])
}

fn test_a_name_cannot_leave_its_header() -> FunctionDef {
    names!(header);
    def("test_a_name_cannot_leave_its_header").returns(none()).body(block![
        assign(header, py!(attachment("a\"\r\nX: ☺.png"))),
        assert_(py!(header.isascii())),
        assert_(py!(not_in!("\n", header))),
        assert_(py!(header.count("\"") == 2)),
        assert_(py!(header.endswith("filename*=UTF-8''a%22%0D%0AX%3A%20%E2%98%BA.png")))
    ])
}

fn test_a_page_is_no_file() -> FunctionDef {
    names!(files, refused, disguised);
    async_def("test_a_page_is_no_file").params([param(files, Files)]).returns(none()).body(block![
        assign(refused, py!(files.upload(HTML, content_type = "text/html").await)),
        assert_(py!(refused.status_code == 415)),
        assert_(py!(code_of(refused) == "unsupported_media_type")),
        assign(disguised, py!(files.upload(HTML, content_type = "image/png").await)),
        assert_(py!(disguised.status_code == 409)),
        assert_(py!(code_of(disguised) == "wrong_file_type")),
        assert_(py!(files.count().await == 0))
    ])
}

fn test_the_first_bytes_tell_the_type() -> FunctionDef {
    names!(content_type, start, fits);
    def("test_the_first_bytes_tell_the_type")
        .decorator(py!(pytest.mark.parametrize(
            ("content_type", "start", "fits"),
            [
                ("image/webp", b"RIFF\0\0\0\0WEBP", true),
                ("image/webp", b"RIFF\0\0\0\0WAVE", false),
                ("video/mp4", b"\0\0\0\nftypisom", true),
                ("text/csv", "1,é".encode()[..-1], true),
                ("text/csv", b"1,\xff\xff", false),
                ("text/plain", b"a\0b", false)
            ]
        )))
        .params([param(content_type, str), param(start, bytes), star(), param(fits, bool)])
        .returns(none())
        .body([assert_(py!(is_!(begins_like(content_type, start), fits)))])
}

fn test_a_file_can_be_too_large() -> FunctionDef {
    names!(files, announced, response);
    async_def("test_a_file_can_be_too_large").params([param(files, Files)]).returns(none()).body(
        block![
            assign(announced, py!(dict!("Content-Length" => str(MAX_FILE_BYTES + 1)))),
            assign(response, py!(files.upload(b"", **announced).await)),
            assert_(py!(response.status_code == 413)),
            assert_(py!(code_of(response) == "body_too_large")),
            assert_(py!(files.count().await == 0))
        ],
    )
}

fn test_a_body_is_not_read_on_when_it_is_too_large() -> FunctionDef {
    names!(read, chunks, refused);
    async_def("test_a_body_is_not_read_on_when_it_is_too_large").returns(none()).body(block![
        ann_assign(read, py!(list[int]), py!([])),
        {
            names!(number);
            async_def(chunks).returns(py!(AsyncGenerator[(bytes, None)])).body([for_(
                number,
                py!(range(9)),
                block![do_(py!(read.append(number))), do_(py!(yield_!(b"12345")))],
            )])
        },
        with_as(
            py!(pytest.raises(HTTPException)),
            refused,
            [async_with(py!(received(chunks(), 9)), [do_(py!(pytest.fail("this is too large")))])]
        ),
        assert_(py!(refused.value.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE)),
        assert_(py!(read == [0, 1]))
    ])
}

fn test_a_body_can_end_early() -> FunctionDef {
    names!(chunks);
    async_def("test_a_body_can_end_early").returns(none()).body(block![
        {
            async_def(chunks)
                .returns(py!(AsyncGenerator[(bytes, None)]))
                .body(block![do_(py!(yield_!(b"12345"))), raise(ClientDisconnect)])
        },
        with(
            py!(pytest.raises(BadRequestError)),
            [async_with(py!(received(chunks(), 9)), [do_(py!(pytest.fail("this is not whole")))])]
        )
    ])
}

fn test_a_body_without_a_length_is_taken() -> FunctionDef {
    names!(files, chunks, response);
    async_def("test_a_body_without_a_length_is_taken")
        .params([param(files, Files)])
        .returns(none())
        .body(block![
            {
                async_def(chunks)
                    .returns(py!(AsyncGenerator[(bytes, None)]))
                    .body(block![do_(py!(yield_!(CONTENT))), do_(py!(yield_!(CONTENT)))])
            },
            assign(response, py!(files.upload(chunks()).await)),
            assert_that(py!(response.status_code == 201), py!(response.text)),
            assert_(py!(response.json()["size"] == 2 * len(CONTENT)))
        ])
}

fn test_an_address_is_good_for_one_thing() -> FunctionDef {
    names!(files, world, signed, file_id, upload, download, url, response, refused);
    async_def("test_an_address_is_good_for_one_thing")
        .params([param(files, Files), param(world, World)])
        .returns(none())
        .body(block![
            assign(signed, py!(files.signed().await)),
            assign(file_id, py!(files.stored().await)),
            assign(py!((upload, download)), py!((signed["url"], files.address(file_id).await))),
            for_(
                url,
                py!((upload, f!("{}x", download), download.replace("token=", "token=x"))),
                block![
                    assign(response, py!(world.http.get(url).await)),
                    assert_(py!(response.status_code == 403)),
                    assert_(py!(code_of(response) == "signature_invalid"))
                ]
            ),
            for_(
                url,
                py!((download, f!("{}x", upload))),
                block![
                    assign(refused, py!(send(world.http, dict!(**signed, "url" => url)).await)),
                    assert_(py!(refused.status_code == 403))
                ]
            ),
            assert_(py!(world.http.get("/files/content?token=").await.status_code == 403))
        ])
}

fn test_an_address_expires() -> FunctionDef {
    names!(files, world, storage, blob, past, upload, sent, url);
    async_def("test_an_address_expires")
        .params([param(files, Files), param(world, World)])
        .returns(none())
        .body(block![
            assign(py!((storage, blob)), py!((local_storage(world), blob_for(files)))),
            assign(past, py!(timedelta(minutes = -1))),
            assign(upload, py!(storage.sign_upload(blob, past))),
            assign(
                sent,
                py!(world
                    .http
                    .put(upload.url, headers = dict(upload.headers), content = b"a")
                    .await)
            ),
            assert_(py!(sent.status_code == 403)),
            assign(url, py!(storage.sign_download(blob.place, "a", TEXT, past))),
            assert_(py!(world.http.get(url).await.status_code == 403))
        ])
}

fn test_an_address_is_for_some_bytes_only() -> FunctionDef {
    names!(files, world, signed, other, content, refused, too_large, headers);
    async_def("test_an_address_is_for_some_bytes_only")
        .params([param(files, Files), param(world, World)])
        .returns(none())
        .body(block![
            assign(signed, py!(files.signed().await)),
            assign(other, py!(CONTENT[..-1] + b"!")),
            for_(
                content,
                py!((other, CONTENT[..-1])),
                block![
                    assign(refused, py!(send(world.http, signed, content).await)),
                    assert_(py!(code_of(refused) == "upload_differs"))
                ]
            ),
            assign(too_large, py!(send(world.http, signed, CONTENT + b"!").await)),
            assert_(py!(too_large.status_code == 413)),
            assign(headers, py!(dict!("Content-Type" => "text/csv"))),
            assign(refused, py!(send(world.http, dict!(**signed, "headers" => headers)).await)),
            assert_(py!(code_of(refused) == "upload_differs")),
            assert_(py!(code_of(files.complete(signed["file"]["id"]).await) == "upload_missing"))
        ])
}

fn test_an_address_takes_nothing_any_more() -> FunctionDef {
    names!(files, world, signed, file_id, gone);
    async_def("test_an_address_takes_nothing_any_more")
        .params([param(files, Files), param(world, World)])
        .returns(none())
        .body(block![
            assign(signed, py!(files.signed().await)),
            assign(file_id, py!(signed["file"]["id"])),
            do_(py!(send(world.http, signed).await)),
            do_(py!(files.complete(file_id).await)),
            assert_(py!(send(world.http, signed).await.status_code == 404)),
            assign(gone, py!(files.signed().await)),
            do_(py!(files.caller.delete(f!("{}/{}", files.path, gone["file"]["id"])).await)),
            assert_(py!(send(world.http, gone).await.status_code == 404))
        ])
}

fn test_the_store_is_not_believed() -> FunctionDef {
    names!(files, world, signed, file_id, place);
    async_def("test_the_store_is_not_believed")
        .params([param(files, Files), param(world, World)])
        .returns(none())
        .body(block![
            assign(signed, py!(files.signed().await)),
            assign(file_id, py!(signed["file"]["id"])),
            do_(py!(send(world.http, signed).await)),
            assign(place, py!(Place(UUID(files.organization_id), UUID(file_id)))),
            do_(py!(local_storage(world).path(place).write_bytes(b"something else"))),
            assert_(py!(code_of(files.complete(file_id).await) == "upload_differs")),
            assert_(py!(files.complete(file_id).await.status_code == 404)),
            assert_(py!(!local_storage(world).path(place).exists()))
        ])
}

fn test_a_disguise_is_seen_in_the_store() -> FunctionDef {
    names!(files, world, signed, refused);
    async_def("test_a_disguise_is_seen_in_the_store")
        .params([param(files, Files), param(world, World)])
        .returns(none())
        .body(block![
            assign(signed, py!(files.signed(HTML, content_type = "image/png").await)),
            do_(py!(send(world.http, signed, HTML).await)),
            assign(refused, py!(files.complete(signed["file"]["id"]).await)),
            assert_(py!(code_of(refused) == "wrong_file_type")),
            assert_(py!(files.count().await == 0))
        ])
}

fn test_a_file_can_come_too_late() -> FunctionDef {
    names!(files, world, signed, response);
    async_def("test_a_file_can_come_too_late")
        .params([param(files, Files), param(world, World)])
        .returns(none())
        .body(block![
            assign(signed, py!(files.signed().await)),
            do_(py!(send(world.http, signed).await)),
            do_(py!(files.change(expires_at = utcnow()).await)),
            assign(response, py!(files.complete(signed["file"]["id"]).await)),
            assert_(py!(response.status_code == 410)),
            assert_(py!(code_of(response) == "upload_expired"))
        ])
}

fn test_a_deleted_file_is_gone() -> FunctionDef {
    names!(files, world, file_id, address);
    async_def("test_a_deleted_file_is_gone")
        .params([param(files, Files), param(world, World)])
        .returns(none())
        .body(block![
            assign(file_id, py!(files.stored().await)),
            assign(address, py!(files.address(file_id).await)),
            assert_(py!(
                files.caller.delete(f!("{}/{}", files.path, file_id)).await.status_code == 204
            )),
            assert_(py!(files.listed().await == [])),
            assert_(py!(world.http.get(address).await.status_code == 404)),
            assert_(py!(list(local_storage(world).folder.glob("*/*")) == [])),
            assert_(py!(
                files.caller.delete(f!("{}/{}", files.path, file_id)).await.status_code == 404
            ))
        ])
}

fn test_the_files_of_others_are_not_there() -> FunctionDef {
    names!(
        files, world, file_id, pending, eve, path, one, method, suffix, response, outside, refused
    );
    async_def("test_the_files_of_others_are_not_there")
        .params([param(files, Files), param(world, World)])
        .returns(none())
        .body(block![
            assign(file_id, py!(files.stored().await)),
            assign(pending, py!(files.signed().await["file"]["id"])),
            assign(eve, py!(files_of(world, world.sign_up("eve@example.com").await).await)),
            assert_(py!(eve.listed().await == [])),
            for_(
                path,
                py!((eve.path, files.path)),
                [for_(
                    one,
                    py!((file_id, pending)),
                    [for_(
                        py!((method, suffix)),
                        py!((
                            ("GET", ""),
                            ("GET", "/content"),
                            ("POST", "/complete"),
                            ("DELETE", "")
                        )),
                        block![
                            assign(
                                response,
                                py!(eve
                                    .caller
                                    .send(method, f!("{}/{}{}", path, one, suffix))
                                    .await)
                            ),
                            assert_that(py!(response.status_code == 404), py!((method, suffix)))
                        ]
                    )]
                )]
            ),
            assign(outside, py!(Files(world, eve.caller, files.organization_id))),
            for_(
                refused,
                py!((
                    outside.upload().await,
                    outside.announce().await,
                    eve.caller.get(files.path).await
                )),
                [assert_(py!(refused.status_code == 404))]
            ),
            assert_(py!(files.listed().await == [file_id]))
        ])
}

fn test_what_happens_to_a_file_is_written_down() -> FunctionDef {
    names!(files, world, file_id, of_file, organization_id, session, events, actions);
    async_def("test_what_happens_to_a_file_is_written_down")
        .params([param(files, Files), param(world, World)])
        .returns(none())
        .body(block![
            assign(file_id, py!(files.stored().await)),
            do_(py!(files.caller.delete(f!("{}/{}", files.path, file_id)).await)),
            assign(of_file, py!(select(AuditEvent).r#where(AuditEvent.target_id == UUID(file_id)))),
            assign(organization_id, py!(UUID(files.organization_id))),
            async_with_as(
                py!(world.database.tenant_session(organization_id)),
                session,
                block![
                    assign(
                        events,
                        py!(session.scalars(of_file.order_by(AuditEvent.created_at)).await)
                    ),
                    assign(actions, py!(list!(event.action for event in events)))
                ]
            ),
            assert_(
                py!(actions == [AuditAction.CREATED, AuditAction.CHANGED, AuditAction.DELETED])
            )
        ])
}

fn test_nobody_sends_a_file_without_a_token() -> FunctionDef {
    names!(files, world, response);
    async_def("test_nobody_sends_a_file_without_a_token")
        .params([param(files, Files), param(world, World)])
        .returns(none())
        .body(block![
            assign(
                response,
                py!(world.http.post(f!("{}/upload?name=a", files.path), content = b"a").await)
            ),
            assert_(py!(response.status_code == 401))
        ])
}
