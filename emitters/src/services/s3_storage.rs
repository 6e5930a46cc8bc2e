//! `backend/app/services/s3_storage.py`: files in a bucket behind the S3 interface; boto3 waits for it in
//! threads.

use crate::core::file_types::{START_BYTES, attachment};
use crate::core::settings::Settings;
use crate::models::base::utcnow;
use crate::python::anyio::{CapacityLimiter, fail_after, to_thread};
use crate::python::boto3::{BotoCoreError, ClientError, Config, boto3};
use crate::python::builtins::{TimeoutError, bytes, float, int, iter, list, next, str};
use crate::python::standard::{
    Any, AsyncGenerator, Callable, HTTPStatus, IO, Mapping, TypeVar, b64decode, b64encode,
    datetime, timedelta,
};
use crate::services::storage::{Blob, Found, Place, SignedRequest, StorageError};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.s3_storage": ATTEMPTS, THREADS, SLOWEST_BYTES_PER_SECOND, ResultT, S3Storage, checksum_of, status_of;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.s3_storage")
        .docstring("Files in a bucket behind the S3 interface; boto3 waits for it in threads.")
        .body(block![
            assign(ATTEMPTS, 3),
            assign(THREADS, 16).comment(
                "Requests to the store at once: a slow one must not take the threads of others."
            ),
            assign(SLOWEST_BYTES_PER_SECOND, py!(32 * 1024))
                .comment("On a line that is slower than this, files do not get through."),
            assign(ResultT, py!(TypeVar("ResultT"))).paragraph(),
            s3_storage_class(),
            checksum_of_def(),
            status_of_def()
        ])
}

fn s3_storage_class() -> ClassDef {
    class(S3Storage).body(block![
        docstring("A store that clients send files to, and read them from, by themselves."),
        s3_storage_init(),
        s3_storage_sign_upload(),
        s3_storage_sign_download(),
        s3_storage_sign(),
        s3_storage_put(),
        s3_storage_find(),
        s3_storage_look(),
        s3_storage_delete(),
        s3_storage_places(),
        s3_storage_probe(),
        s3_storage_ask()
    ])
}

fn s3_storage_init() -> FunctionDef {
    names!(settings, bucket, secret, session, private, public, config);
    let retries = py!(dict!("mode" => "standard", "total_max_attempts" => ATTEMPTS));
    let style = py!(if private { "path" } else { "virtual" });
    let style = py!(dict!("addressing_style" => style));
    let client =
        |endpoint: Name| py!(session.client("s3", endpoint_url = endpoint, config = config));
    let untyped_library = "pyright: ignore[reportUnknownMemberType]";
    def("__init__")
        .params([untyped("self"), param(settings, Settings), param(bucket, str)])
        .returns(none())
        .body(block![
            docstring("Prepare to connect; nothing is sent before the first use."),
            assign(secret, py!(settings.s3_secret_access_key)),
            assign(
                session,
                py!(boto3.Session(
                    aws_access_key_id = settings.s3_access_key_id,
                    aws_secret_access_key = if secret { secret.get_secret_value() } else { None },
                    region_name = settings.s3_region
                ))
            ),
            assign(private, py!(settings.s3_endpoint_url)),
            assign(public, py!(settings.s3_public_endpoint_url || private)),
            assign(
                config,
                py!(Config(
                    signature_version = "s3v4",
                    connect_timeout = settings.s3_timeout_seconds,
                    read_timeout = settings.s3_timeout_seconds,
                    retries = retries,
                    s3 = style,
                    request_checksum_calculation = "when_required",
                    max_pool_connections = THREADS
                ))
            ),
            assign(py!(self.bucket), bucket),
            assign(py!(self.client), client(private)).trailing_comment(untyped_library),
            assign(py!(self.public_client), client(public)).trailing_comment(untyped_library),
            assign(py!(self.seconds), py!(settings.s3_timeout_seconds)),
            assign(py!(self.limiter), py!(CapacityLimiter(THREADS))),
            assign(py!(self.probing), py!(CapacityLimiter(1)))
        ])
}

fn s3_storage_sign_upload() -> FunctionDef {
    names!(blob, lifetime, checksum, signed, url, headers);
    let content = py!(dict!(
        "Bucket" => self.bucket,
        "Key" => blob.place.key,
        "ContentType" => blob.content_type,
        "ContentLength" => blob.size,
        "ChecksumAlgorithm" => "SHA256",
        "ChecksumSHA256" => checksum
    ));
    let sent = py!(dict!(
        "Content-Type" => blob.content_type,
        "x-amz-checksum-sha256" => checksum,
        "x-amz-sdk-checksum-algorithm" => "SHA256"
    ));
    def("sign_upload")
        .params([untyped("self"), param(blob, Blob), param(lifetime, timedelta)])
        .returns(SignedRequest)
        .body(block![
            docstring("Sign a PUT; its size, its type and its digest are part of the signature."),
            assign(checksum, py!(checksum_of(blob))),
            assign(signed, content),
            assign(url, py!(self.sign("put_object", signed, lifetime))),
            assign(headers, sent),
            return_(py!(SignedRequest("PUT", url, headers, utcnow() + lifetime)))
        ])
}

fn s3_storage_sign_download() -> FunctionDef {
    names!(place, name, content_type, lifetime, signed);
    let content = py!(dict!(
        "Bucket" => self.bucket,
        "Key" => place.key,
        "ResponseContentDisposition" => attachment(name),
        "ResponseContentType" => content_type
    ));
    def("sign_download")
        .params([
            untyped("self"),
            param(place, Place),
            param(name, str),
            param(content_type, str),
            param(lifetime, timedelta),
        ])
        .returns(str)
        .body(block![
            docstring("Sign a GET; the store repeats our type, and has browsers save the file."),
            assign(signed, content),
            return_(py!(self.sign("get_object", signed, lifetime)))
        ])
}

fn s3_storage_sign() -> FunctionDef {
    names!(method, signed, lifetime, seconds);
    def("sign")
        .params([
            untyped("self"),
            param(method, str),
            param(signed, py!(Mapping[(str, Any)])),
            param(lifetime, timedelta),
        ])
        .returns(str)
        .body(block![
            docstring("Return an address that allows one request, for a while."),
            assign(seconds, py!(int(lifetime.total_seconds()))),
            return_(py!(self.public_client.generate_presigned_url(
                method,
                Params = signed,
                ExpiresIn = seconds
            )))
        ])
}

fn s3_storage_put() -> FunctionDef {
    names!(blob, content, send);
    async_def("put")
        .params([untyped("self"), param(blob, Blob), param(content, py!(IO[bytes]))])
        .returns(none())
        .body(block![
            docstring(
                "Store a file; the store refuses it unless the digest is right.\n\
                 \n\
                 A large one may take longer; when nothing moves, boto3 gives up before that."
            ),
            {
                def(send).returns(none()).body([do_(py!(self.client.put_object(
                    Bucket = self.bucket,
                    Key = blob.place.key,
                    Body = content,
                    ContentType = blob.content_type,
                    ContentLength = blob.size,
                    ChecksumSHA256 = checksum_of(blob)
                )))])
            },
            do_(py!(self.ask(send, sending_seconds = blob.size / SLOWEST_BYTES_PER_SECOND).await))
        ])
}

fn s3_storage_find() -> FunctionDef {
    names!(place);
    async_def("find")
        .params([untyped("self"), param(place, Place)])
        .returns(py!(Found | None))
        .body(block![
            docstring("Ask for what the store knows of a file, and for its first bytes."),
            return_(py!(self.ask(|| self.look(place.key)).await))
        ])
}

fn s3_storage_look() -> FunctionDef {
    names!(key, head, error, size, start, some, part, checksum, digest);
    def("look").params([untyped("self"), param(key, str)]).returns(py!(Found | None)).body(block![
        docstring("Ask twice: the first answer has no bytes."),
        try_([assign(
            head,
            py!(self.client.head_object(Bucket = self.bucket, Key = key, ChecksumMode = "ENABLED"))
        )])
        .except_as(
            ClientError,
            error,
            block![
                if_(py!(status_of(error) == HTTPStatus.NOT_FOUND), [return_(none())]),
                reraise()
            ]
        ),
        assign(py!((size, start)), py!((head["ContentLength"], b""))),
        if_(
            py!(size > 0),
            block![
                assign(some, py!(f!("bytes=0-{}", START_BYTES - 1))),
                assign(
                    part,
                    py!(self.client.get_object(Bucket = self.bucket, Key = key, Range = some))
                ),
                assign(start, py!(part["Body"].read()))
            ]
        ),
        assign(checksum, py!(head.get("ChecksumSHA256"))),
        assign(digest, py!(if checksum { b64decode(checksum).hex() } else { None })),
        return_(py!(Found(size, digest, head.get("ContentType"), start)))
    ])
}

fn s3_storage_delete() -> FunctionDef {
    names!(place);
    async_def("delete").params([untyped("self"), param(place, Place)]).returns(none()).body(block![
        docstring("Remove a file."),
        do_(py!(self
            .ask(|| self.client.delete_object(Bucket = self.bucket, Key = place.key))
            .await))
    ])
}

fn s3_storage_places() -> FunctionDef {
    names!(before, pages, remaining, page, named);
    let next_page = py!(walrus!(page, self.ask(|| next(remaining, None)).await));
    let old = py!(list!(
        Place.parse(item.get("Key", ""))
        for item in page.get("Contents", [])
        if item.get("LastModified", before) < before
    ));
    async_def("places")
        .params([untyped("self"), param(before, datetime)])
        .returns(py!(AsyncGenerator[(list[Place], None)]))
        .body(block![
            docstring("Go through the bucket, page by page."),
            assign(pages, py!(self.client.get_paginator("list_objects_v2"))),
            assign(remaining, py!(iter(pages.paginate(Bucket = self.bucket)))),
            while_(
                py!({ next_page } != None),
                block![
                    assign(named, old),
                    do_(py!(yield_!(list!(place for place in named if place != None))))
                ]
            )
        ])
}

fn s3_storage_probe() -> FunctionDef {
    names!(look);
    async_def("probe").params([untyped("self")]).returns(none()).body(block![
        docstring("Find out whether the bucket is there; a slow store gets one question."),
        def(look).returns(none()).body([do_(py!(self.client.head_bucket(Bucket = self.bucket)))]),
        do_(py!(self.ask(look, self.probing).await))
    ])
}

fn s3_storage_ask() -> FunctionDef {
    names!(function, limiter, sending_seconds, error);
    async_def("ask")
        .params([
            untyped("self"),
            param(function, py!(Callable[([], ResultT)])),
            param(limiter, py!(CapacityLimiter | None)).default(none()),
            star(),
            param(sending_seconds, float).default(0),
        ])
        .returns(ResultT)
        .body(block![
            docstring("Let a thread ask the store, and do not wait for long after all is sent."),
            try_([with(
                py!(fail_after(self.seconds + sending_seconds)),
                [return_(py!(to_thread
                    .run_sync(function, abandon_on_cancel = true, limiter = limiter || self.limiter)
                    .await))]
            )])
            .except_as(
                py!((BotoCoreError, ClientError, TimeoutError)),
                error,
                [raise_from(py!(StorageError("The store of files does not answer.")), error)]
            )
        ])
}

fn checksum_of_def() -> FunctionDef {
    names!(blob);
    def(checksum_of).params([param(blob, Blob)]).returns(str).body(block![
        docstring("Write the digest of a file as S3 does."),
        return_(py!(b64encode(bytes.fromhex(blob.sha256)).decode()))
    ])
}

fn status_of_def() -> FunctionDef {
    names!(error);
    def(status_of).params([param(error, ClientError)]).returns(py!(int | None)).body(block![
        docstring("Return the status of an answer of the store."),
        return_(py!(error.response.get("ResponseMetadata", dict!()).get("HTTPStatusCode")))
    ])
}
