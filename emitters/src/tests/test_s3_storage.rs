//! `backend/tests/test_s3_storage.py`: files in a bucket: at a real S3 server in this process, and at one out of order.

use crate::app_main::create_app;
use crate::core::settings::Settings;
use crate::models::base::utcnow;
use crate::python::anyio::{anyio, fail_after};
use crate::python::builtins::{bytes, float, int, isinstance, len, list, range, set, str};
use crate::python::httpx2::{AsyncClient, Response};
use crate::python::moto::ThreadedMotoServer;
use crate::python::pydantic::SecretStr;
use crate::python::pytest::pytest;
use crate::python::standard::{
    AsyncGenerator, BytesIO, Generator, UUID, asynccontextmanager, asyncio, monotonic, sha256,
    socket, suppress, timedelta, uuid4,
};
use crate::services::file_sweeper::{GRACE, find_orphans};
use crate::services::probes::ANSWER_SECONDS;
use crate::services::resources::Resources;
use crate::services::s3_storage::{ATTEMPTS, S3Storage};
use crate::services::storage::{Blob, Place, StorageError, get_storage};
use crate::services::storage_connection::build_storage;
use crate::tests::files::{CONTENT, Files, send};
use crate::tests::servers::{LOCALHOST, free_port, serving};
use crate::tests::world::World;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_s3_storage": LARGE, STEP_BYTES, GO_ON, SUCCESS, FAILURE, settings_for, connected, keys, out_of_order,
        check_unavailable, slow_store, send_large;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.test_s3_storage")
        .docstring(
            "Files in a bucket: at a real S3 server in this process, and at one out of order.",
        )
        .body(block![
            assign(LARGE, py!(bytes(12 * 1024 * 1024))),
            assign(STEP_BYTES, py!(256 * 1024)),
            assign(GO_ON, py!(b"HTTP/1.1 100 Continue\r\n\r\n")),
            assign(SUCCESS, py!(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),
            assign(
                FAILURE,
                py!(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")
            ),
            settings_for_def(),
            connected_def(),
            store_def(),
            http_def(),
            keys_def(),
            test_a_file_comes_back_as_it_was_sent(),
            test_a_file_can_be_sent_to_the_store(),
            test_an_empty_file_is_a_file(),
            test_what_is_signed_is_part_of_the_signature(),
            test_another_file_than_was_announced(),
            test_bytes_that_nobody_has_are_found(),
            out_of_order_def(),
            check_unavailable_def(),
            test_a_store_that_is_out_of_order_holds_nobody_up(),
            test_a_store_that_is_away(),
            slow_store_def(),
            send_large_def(),
            test_a_large_file_may_take_its_time(),
            test_a_store_that_hangs_amid_a_file_is_noticed(),
            test_a_bucket_that_is_there_is_ready(),
            test_a_store_that_is_out_of_order_is_said_to_be(),
            test_addresses_of_the_server_are_not_its_own()
        ])
}

fn settings_for_def() -> FunctionDef {
    names!(settings, port);
    def(settings_for).params([param(settings, Settings), param(port, int)]).returns(Settings).body(
        block![
            docstring("Name a bucket at a server of our own."),
            return_(py!(settings.model_copy(
                update = dict!(
                    "s3_bucket" => f!("files-{}", uuid4().hex),
                    "s3_endpoint_url" => f!("http://{}:{}", LOCALHOST, port),
                    "s3_access_key_id" => "tests",
                    "s3_secret_access_key" => SecretStr("tests"),
                    "s3_timeout_seconds" => 1
                )
            )))
        ],
    )
}

fn connected_def() -> FunctionDef {
    names!(settings, port, storage);
    def(connected).params([param(settings, Settings), param(port, int)]).returns(S3Storage).body(
        block![
            docstring("Connect to a server."),
            assign(storage, py!(build_storage(settings_for(settings, port)))),
            assert_(py!(isinstance(storage, S3Storage))),
            return_(storage)
        ],
    )
}

fn store_def() -> FunctionDef {
    names!(settings, world, monkeypatch, port, server, storage);
    def("store")
        .decorator(py!(pytest.fixture))
        .params([
            param(settings, Settings),
            param(world, World),
            param(monkeypatch, py!(pytest.MonkeyPatch)),
        ])
        .returns(py!(Generator[(S3Storage, None, None)]))
        .body(block![
            assign(port, py!(free_port())),
            assign(server, py!(ThreadedMotoServer(LOCALHOST, port, verbose = false))),
            do_(py!(server.start())),
            assign(storage, py!(connected(settings, port))),
            do_(py!(storage.client.create_bucket(Bucket = storage.bucket))),
            do_(py!(monkeypatch.setitem(world.app.dependency_overrides, get_storage, || storage))),
            do_(py!(yield_!(storage))),
            do_(py!(server.stop()))
        ])
}

fn http_def() -> FunctionDef {
    names!(http);
    async_def("http")
        .decorator(py!(pytest.fixture))
        .returns(py!(AsyncGenerator[(AsyncClient, None)]))
        .body(block![
            docstring("Reach the store as clients do."),
            async_with_as(py!(AsyncClient()), http, [do_(py!(yield_!(http)))])
        ])
}

fn keys_def() -> FunctionDef {
    names!(store, answer);
    def(keys).params([param(store, S3Storage)]).returns(py!(list[str])).body(block![
        docstring("List what is in the bucket."),
        assign(answer, py!(store.client.list_objects_v2(Bucket = store.bucket))),
        return_(py!(list!(item.get("Key", "") for item in answer.get("Contents", []))))
    ])
}

fn test_a_file_comes_back_as_it_was_sent() -> FunctionDef {
    names!(store, files, http, file_id, read);
    async_def("test_a_file_comes_back_as_it_was_sent")
        .params([param(store, S3Storage), param(files, Files), param(http, AsyncClient)])
        .returns(none())
        .body(block![
            assign(file_id, py!(files.stored().await)),
            assert_(py!(keys(store) == [f!("{}/{}", files.organization_id, file_id)])),
            assign(read, py!(http.get(files.address(file_id).await).await)),
            assert_(py!(read.content == CONTENT)),
            assert_(py!(read.headers["Content-Type"] == "text/plain")),
            assert_(py!(read.headers["Content-Disposition"].startswith("attachment"))),
            do_(py!(files.caller.delete(f!("{}/{}", files.path, file_id)).await)),
            assert_(py!(keys(store) == []))
        ])
}

fn test_a_file_can_be_sent_to_the_store() -> FunctionDef {
    names!(store, files, http, signed, file_id, missing, completed);
    async_def("test_a_file_can_be_sent_to_the_store")
        .params([param(store, S3Storage), param(files, Files), param(http, AsyncClient)])
        .returns(none())
        .body(block![
            assign(signed, py!(files.signed().await)),
            assign(file_id, py!(signed["file"]["id"])),
            assign(missing, py!(files.complete(file_id).await)),
            assert_(py!(missing.json()["code"] == "upload_missing")),
            assert_(py!(send(http, signed).await.status_code == 200)),
            assign(completed, py!(files.complete(file_id).await)),
            assert_that(py!(completed.status_code == 200), py!(completed.text)),
            assert_(py!(keys(store) == [f!("{}/{}", files.organization_id, file_id)])),
            assert_(py!(http.get(files.address(file_id).await).await.content == CONTENT))
        ])
}

fn test_an_empty_file_is_a_file() -> FunctionDef {
    names!(store, files, http, signed);
    async_def("test_an_empty_file_is_a_file")
        .params([param(store, S3Storage), param(files, Files), param(http, AsyncClient)])
        .returns(none())
        .body(block![
            assign(signed, py!(files.signed(b"").await)),
            assert_(py!(send(http, signed, b"").await.status_code == 200)),
            assert_(py!(files.complete(signed["file"]["id"]).await.status_code == 200)),
            assert_(py!(len(keys(store)) == 1))
        ])
}

fn test_what_is_signed_is_part_of_the_signature() -> FunctionDef {
    names!(store, files, url, signed);
    async_def("test_what_is_signed_is_part_of_the_signature")
        .params([param(store, S3Storage), param(files, Files)])
        .returns(none())
        .body(block![
            assign(url, py!(files.signed().await["url"])),
            assert_(py!(url.startswith(f!(
                "{}/{}/",
                store.client.meta.endpoint_url,
                store.bucket
            )))),
            for_(
                signed,
                py!(("content-length", "content-type", "x-amz-checksum-sha256")),
                [assert_(py!(in_!(signed, url.partition("X-Amz-SignedHeaders=")[2])))]
            ),
            assert_(py!(in_!("X-Amz-Expires=1800", url)))
        ])
}

fn test_another_file_than_was_announced() -> FunctionDef {
    names!(store, files, content, content_type, file_id, refused);
    async_def("test_another_file_than_was_announced")
        .params([param(store, S3Storage), param(files, Files)])
        .returns(none())
        .body(block![
            docstring("The store would not take it by the signed address; we look nevertheless."),
            for_(
                py!((content, content_type)),
                py!((
                    (CONTENT + b"!", "text/plain"),
                    (CONTENT[..-1] + b"!", "text/plain"),
                    (CONTENT, "text/html")
                )),
                block![
                    assign(file_id, py!(files.signed().await["file"]["id"])),
                    do_(py!(store.client.put_object(
                        Bucket = store.bucket,
                        Key = f!("{}/{}", files.organization_id, file_id),
                        Body = content,
                        ContentType = content_type,
                        ChecksumAlgorithm = "SHA256"
                    ))),
                    assign(refused, py!(files.complete(file_id).await)),
                    assert_(py!(refused.status_code == 409)),
                    assert_(py!(refused.json()["code"] == "upload_differs")),
                    assert_(py!(keys(store) == []))
                ]
            ),
            assert_(py!(files.count().await == 0))
        ])
}

fn test_bytes_that_nobody_has_are_found() -> FunctionDef {
    names!(store, files, settings, kept, lost, key, soon, resources, found, places);
    async_def("test_bytes_that_nobody_has_are_found")
        .params([param(store, S3Storage), param(files, Files), param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(kept, py!(Place(UUID(files.organization_id), UUID(files.stored().await)))),
            assign(lost, py!([Place(kept.organization_id, uuid4()), Place(uuid4(), uuid4())])),
            for_(
                key,
                py!((*list!(place.key for place in lost), "notes.txt")),
                [do_(py!(store.client.put_object(
                    Bucket = store.bucket,
                    Key = key,
                    Body = b"left"
                )))]
            ),
            assign(soon, py!(utcnow() + timedelta(hours = 1))),
            assign(resources, py!(Resources.build(settings))),
            ann_assign(found, py!(list[Place]), py!([])),
            async_for(places, py!(store.places(soon)), [do_(py!(found.extend(places)))]),
            assert_(py!(set(found) == set!(kept, *lost))),
            assert_(py!(set(find_orphans(resources, found).await) == set(lost))),
            async_for(places, py!(store.places(utcnow() - GRACE)), [assert_(py!(places == []))]),
            do_(py!(resources.database.close().await))
        ])
}

fn out_of_order_def() -> FunctionDef {
    names!(port, seconds, over, fail, server);
    async_def(out_of_order)
        .decorator(asynccontextmanager)
        .params([param(port, int), param(seconds, float)])
        .returns(py!(AsyncGenerator[(None, None)]))
        .body(block![
            docstring("Answer every request with a failure, after a while."),
            assign(over, py!(anyio.Event())),
            {
                names!(reader, writer);
                async_def(fail)
                    .params([
                        param(reader, py!(asyncio.StreamReader)),
                        param(writer, py!(asyncio.StreamWriter)),
                    ])
                    .returns(none())
                    .body(block![
                        do_(py!(reader.read(1).await)),
                        with(py!(anyio.move_on_after(seconds)), [do_(py!(over.wait().await))]),
                        do_(py!(writer.write(FAILURE))),
                        do_(py!(writer.close()))
                    ])
            },
            assign(server, py!(asyncio.start_server(fail, LOCALHOST, port).await)),
            // From Python 3.12 on, a server that closes waits for its connections.
            async_with(server, [try_([do_(yield_(None))]).finally([do_(py!(over.set()))])])
        ])
}

fn check_unavailable_def() -> FunctionDef {
    names!(response);
    def(check_unavailable).params([param(response, Response)]).returns(none()).body(block![
        docstring("Expect the answer that the store is away."),
        assert_(py!(response.status_code == 503)),
        assert_(py!(response.headers["Content-Type"] == "application/problem+json")),
        assert_(py!(response.json()["code"] == "storage_unavailable"))
    ])
}

fn test_a_store_that_is_out_of_order_holds_nobody_up() -> FunctionDef {
    names!(files, world, settings, monkeypatch, seconds, port, storage, started, file_id, gone);
    async_def("test_a_store_that_is_out_of_order_holds_nobody_up")
        .decorator(py!(pytest.mark.parametrize("seconds", [0, 3])))
        .params([
            param(files, Files),
            param(world, World),
            param(settings, Settings),
            param(monkeypatch, py!(pytest.MonkeyPatch)),
            param(seconds, float),
        ])
        .returns(none())
        .body(block![
            assign(port, py!(free_port())),
            assign(storage, py!(connected(settings, port))),
            do_(py!(monkeypatch.setitem(world.app.dependency_overrides, get_storage, || storage))),
            async_with(
                py!(out_of_order(port, seconds)),
                block![
                    assign(started, py!(monotonic())),
                    do_(py!(check_unavailable(files.upload().await))),
                    assert_(py!(files.count().await == 0)),
                    assign(file_id, py!(files.signed().await["file"]["id"])),
                    do_(py!(check_unavailable(files.complete(file_id).await))),
                    assert_(py!(files.listed().await == [])),
                    assign(gone, py!(files.caller.delete(f!("{}/{}", files.path, file_id)).await)),
                    assert_(py!(gone.status_code == 204)),
                    assert_(py!(files.count().await == 0)),
                    assert_(py!(monotonic() - started < 3 * (storage.seconds + 1)))
                ]
            ),
            assert_(py!(world.http.get("/health/live").await.status_code == 200))
        ])
}

fn test_a_store_that_is_away() -> FunctionDef {
    names!(files, world, settings, monkeypatch, storage);
    async_def("test_a_store_that_is_away")
        .params([
            param(files, Files),
            param(world, World),
            param(settings, Settings),
            param(monkeypatch, py!(pytest.MonkeyPatch)),
        ])
        .returns(none())
        .body(block![
            assign(storage, py!(connected(settings, free_port()))),
            do_(py!(monkeypatch.setitem(world.app.dependency_overrides, get_storage, || storage))),
            do_(py!(check_unavailable(files.upload().await))),
            assert_(py!(files.count().await == 0))
        ])
}

fn test_addresses_of_the_server_are_not_its_own() -> FunctionDef {
    names!(store, world, response);
    async_def("test_addresses_of_the_server_are_not_its_own")
        .params([param(store, S3Storage), param(world, World)])
        .returns(none())
        .body(block![
            assert_(py!(keys(store) == [])),
            assign(response, py!(world.http.get("/files/content?token=x").await)),
            assert_(py!(response.status_code == 404))
        ])
}

fn slow_store_def() -> FunctionDef {
    names!(steps, seconds, over, take, listener, port);
    async_def(slow_store)
        .decorator(asynccontextmanager)
        .params([param(steps, int), param(seconds, float)])
        .returns(py!(AsyncGenerator[(int, None)]))
        .body(block![
            docstring(
                "Take the first steps of a file slowly, and the rest at once; tell the port."
            ),
            assign(over, py!(anyio.Event())),
            take_def(steps, seconds, over),
            with_as(
                py!(socket.create_server((LOCALHOST, 0))),
                listener,
                block![
                    // What the system keeps for a reader who is slow would hide how slow it is.
                    do_(py!(listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, STEP_BYTES))),
                    ann_assign(port, int, py!(listener.getsockname()[1])),
                    async_with(
                        py!(asyncio.start_server(take, sock = listener).await),
                        [try_([do_(py!(yield_!(port)))]).finally([do_(py!(over.set()))])]
                    )
                ]
            )
        ])
}

/// What the slow store does with each connection.
fn take_def(steps: Name, seconds: Name, over: Name) -> FunctionDef {
    names!(take, reader, writer);
    let step = block![
        do_(py!(reader.readexactly(STEP_BYTES).await)),
        with(py!(anyio.move_on_after(seconds)), [do_(py!(over.wait().await))])
    ];
    async_def(take)
        .params([
            param(reader, py!(asyncio.StreamReader)),
            param(writer, py!(asyncio.StreamWriter)),
        ])
        .returns(none())
        .body(block![
            with(
                py!(suppress(asyncio.IncompleteReadError)),
                block![
                    do_(py!(reader.readuntil(b"\r\n\r\n").await)),
                    do_(py!(writer.write(GO_ON))),
                    for_(name("_"), py!(range(steps)), step),
                    do_(py!(reader.readexactly(len(LARGE) - steps * STEP_BYTES).await)),
                    do_(py!(writer.write(SUCCESS)))
                ]
            ),
            do_(py!(writer.close()))
        ])
}

fn send_large_def() -> FunctionDef {
    names!(storage, place, blob, started);
    async_def(send_large).params([param(storage, S3Storage)]).returns(float).body(block![
        docstring("Store a large file, and return how long that took."),
        assign(place, py!(Place(uuid4(), uuid4()))),
        assign(blob, py!(Blob(place, "text/plain", len(LARGE), sha256(LARGE).hexdigest()))),
        assign(started, py!(monotonic())),
        do_(py!(storage.put(blob, BytesIO(LARGE)).await)),
        return_(py!(monotonic() - started))
    ])
}

fn test_a_large_file_may_take_its_time() -> FunctionDef {
    names!(settings, port, storage);
    async_def("test_a_large_file_may_take_its_time")
        .params([param(settings, Settings)])
        .returns(none())
        .body([async_with_as(
            py!(slow_store(steps = 20, seconds = 0.1)),
            port,
            block![
                assign(storage, py!(connected(settings, port))),
                assert_(py!(send_large(storage).await > 2 * storage.seconds))
            ],
        )])
}

fn test_a_store_that_hangs_amid_a_file_is_noticed() -> FunctionDef {
    names!(settings, port, storage);
    async_def("test_a_store_that_hangs_amid_a_file_is_noticed")
        .params([param(settings, Settings)])
        .returns(none())
        .body([async_with_as(
            py!(slow_store(steps = 1, seconds = 30)),
            port,
            block![
                assign(storage, py!(connected(settings, port))),
                with(py!(fail_after(ATTEMPTS * 5)), [do_(py!(send_large(storage).await))])
                    .and(py!(pytest.raises(StorageError)))
            ],
        )])
}

fn test_a_bucket_that_is_there_is_ready() -> FunctionDef {
    names!(store);
    async_def("test_a_bucket_that_is_there_is_ready")
        .params([param(store, S3Storage)])
        .returns(none())
        .body(block![
            do_(py!(store.probe().await)),
            do_(py!(store.client.delete_bucket(Bucket = store.bucket))),
            with(py!(pytest.raises(StorageError)), [do_(py!(store.probe().await))])
        ])
}

fn test_a_store_that_is_out_of_order_is_said_to_be() -> FunctionDef {
    names!(settings, seconds, port, app, started, http, answers, answer);
    async_def("test_a_store_that_is_out_of_order_is_said_to_be")
        .decorator(py!(pytest.mark.parametrize("seconds", [0, 30])))
        .params([param(settings, Settings), param(seconds, float)])
        .returns(none())
        .body(block![
            docstring("The application is ready nevertheless: most requests need no files."),
            assign(port, py!(free_port())),
            assign(app, py!(create_app(settings_for(settings, port)))),
            assign(started, py!(monotonic())),
            async_with(
                py!(out_of_order(port, seconds)),
                [assign(answers, py!(list!(http.get("/health/ready").await for _ in range(3))))]
            )
            .and_as(py!(serving(app)), http),
            assert_(py!(monotonic() - started < 3 * (ANSWER_SECONDS + 1))),
            for_(
                answer,
                answers,
                block![
                    assert_(py!(answer.status_code == 200)),
                    assert_(py!(answer.json()["status"] == "degraded")),
                    assert_(py!(answer.json()["checks"]["storage"] == "failed"))
                ]
            )
        ])
}
