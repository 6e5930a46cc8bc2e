//! `backend/app/api/files.py`: files: sent through us or straight to the store, read from signed addresses.

use crate::core::api_keys::keyed_router;
use crate::core::body_limit::{allow_body, announced_bytes, too_large};
use crate::core::errors::UnsupportedMediaTypeError;
use crate::core::file_types::{FileType, MAX_FILE_BYTES, attachment};
use crate::core::org_rbac::require_permission;
use crate::core::pagination::PageRequestDep;
use crate::core::permissions::Permission;
use crate::core::rate_guard::require_rate;
use crate::guards::guarded;
use crate::python::builtins::{ValueError, dict, list, str};
use crate::python::fastapi::{
    APIRouter, Depends, FileResponse, Query, RedirectResponse, Request, status,
};
use crate::python::standard::{Annotated, Any, UUID};
use crate::schemas::file::{FileCreate, FileName, FilePage, FileRead, SignedUpload};
use crate::services::file_service::FileServiceDep;
use crate::services::local_file_service::LocalFileServiceDep;
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.api.files": BINARY, POLICY, router, organization_router, body_of, get_file_type,
        SignedToken, FileTypeDep, upload_file, sign_upload, complete_file, list_files, read_file,
        download_file, delete_file, store_content, read_content;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    names!(FILES_READ, FILES_WRITE);
    let readers = py!(require_permission(Permission.FILES_READ));
    let writers = py!(require_permission(Permission.FILES_WRITE));
    let rate = py!(require_rate(60, 60));
    let organization_routes = [
        guarded(guarded(upload_file_def(), &writers), &rate),
        guarded(guarded(sign_upload_def(), &writers), &rate),
        guarded(complete_file_def(), &writers),
        guarded(list_files_def(), &readers),
        guarded(read_file_def(), &readers),
        guarded(download_file_def(), &readers),
        guarded(delete_file_def(), &writers),
    ];
    module("app.api.files")
        .docstring("Files: sent through us or straight to the store, read from signed addresses.")
        .body(block![
            assign(BINARY, py!(dict!("schema" => dict!("type" => "string", "format" => "binary")))),
            assign(POLICY, "default-src 'none'; sandbox").comment(
                "A page that was saved here must not run, even if a browser were to show it."
            ),
            assign(router, py!(APIRouter(prefix = "/files", tags = ["files"]))).paragraph(),
            assign(
                organization_router,
                keyed_router(
                    spec,
                    "/organizations/{organization_id}/files",
                    "files",
                    [FILES_READ, FILES_WRITE],
                    []
                )
            ),
            body_of_def(),
            get_file_type_def(),
            assign(SignedToken, py!(Annotated[(str, Query(max_length = 4000))])),
            assign(FileTypeDep, py!(Annotated[(FileType, Depends(get_file_type))])),
            Vec::from(organization_routes),
            store_content_def(),
            read_content_def()
        ])
}

fn body_of_def() -> FunctionDef {
    names!(types, content);
    let body = py!(dict!("required" => true, "content" => content));
    def(body_of).params([param(types, py!(list[str]))]).returns(py!(dict[(str, Any)])).body(block![
        docstring("Describe a body that is read as it comes; of JSON, any document will do."),
        assign(content, py!(dict!(**dict.fromkeys(types, BINARY), FileType.JSON => dict!()))),
        return_(py!(dict!("requestBody" => body)))
    ])
}

fn get_file_type_def() -> FunctionDef {
    names!(request, named, error);
    def(get_file_type).params([param(request, Request)]).returns(FileType).body(block![
        docstring("Return the type that the body is said to have, or answer 415."),
        assign(
            named,
            py!(request.headers.get("Content-Type", "").partition(";")[0].strip().lower())
        ),
        try_([return_(py!(FileType(named)))]).except_as(
            ValueError,
            error,
            [raise_from(
                py!(UnsupportedMediaTypeError("Files of this type are not taken.")),
                error
            )]
        )
    ])
}

fn upload_file_def() -> FunctionDef {
    names!(request, name, content_type, files, expected, file);
    async_def(upload_file)
        .decorator(py!(organization_router.post(
            "/upload",
            status_code = status.HTTP_201_CREATED,
            openapi_extra = body_of([*FileType]),
            dependencies = [Depends(allow_body(MAX_FILE_BYTES))]
        )))
        .params([
            param(request, Request),
            param(name, py!(Annotated[(FileName, Query())])),
            param(content_type, FileTypeDep),
            param(files, FileServiceDep),
        ])
        .returns(FileRead)
        .body(block![
            docstring("Send a file, as the body; `Content-Type` says what it is."),
            assign(expected, py!(announced_bytes(request.scope))),
            if_(py!(expected == None), [assign(expected, MAX_FILE_BYTES)])
                .elif(py!(expected > MAX_FILE_BYTES), [raise(py!(too_large()))]),
            assign(file, py!(files.upload(name, content_type, request.stream(), expected).await)),
            return_(py!(FileRead.model_validate(file)))
        ])
}

fn sign_upload_def() -> FunctionDef {
    names!(payload, files, file, signed);
    async_def(sign_upload)
        .decorator(py!(
            organization_router.post("/sign-upload", status_code = status.HTTP_201_CREATED)
        ))
        .params([param(payload, FileCreate), param(files, FileServiceDep)])
        .returns(SignedUpload)
        .body(block![
            docstring(
                "Announce a file, and learn the request that sends it to the store.\n\
                 \n\
                 Send exactly these bytes with these headers, and then complete the file."
            ),
            assign(py!((file, signed)), py!(files.sign_upload(payload).await)),
            return_(py!(SignedUpload(
                file = FileRead.model_validate(file),
                method = signed.method,
                url = signed.url,
                headers = dict(signed.headers),
                expires_at = signed.expires_at
            )))
        ])
}

fn complete_file_def() -> FunctionDef {
    names!(file_id, files);
    async_def(complete_file)
        .decorator(py!(organization_router.post("/{file_id:uuid}/complete")))
        .params([param(file_id, UUID), param(files, FileServiceDep)])
        .returns(FileRead)
        .body(block![
            docstring(
                "Say that a file is in the store; it is there for others once that is checked."
            ),
            return_(py!(FileRead.model_validate(files.complete(file_id).await)))
        ])
}

fn list_files_def() -> FunctionDef {
    names!(page, files);
    async_def(list_files)
        .decorator(py!(organization_router.get("")))
        .params([param(page, PageRequestDep), param(files, FileServiceDep)])
        .returns(FilePage)
        .body(block![
            docstring("List files, newest first."),
            return_(py!(FilePage.model_validate(files.page(page).await)))
        ])
}

fn read_file_def() -> FunctionDef {
    names!(file_id, files);
    async_def(read_file)
        .decorator(py!(organization_router.get("/{file_id:uuid}")))
        .params([param(file_id, UUID), param(files, FileServiceDep)])
        .returns(FileRead)
        .body(block![
            docstring("Return what is known of a file."),
            return_(py!(FileRead.model_validate(files.get_stored(file_id).await)))
        ])
}

fn download_file_def() -> FunctionDef {
    names!(file_id, files);
    async_def(download_file)
        .decorator(py!(organization_router.get(
            "/{file_id:uuid}/content",
            status_code = status.HTTP_307_TEMPORARY_REDIRECT,
            response_class = RedirectResponse
        )))
        .params([param(file_id, UUID), param(files, FileServiceDep)])
        .returns(RedirectResponse)
        .body(block![
            docstring("Go to an address that gives the file away, for a short while."),
            return_(py!(RedirectResponse(files.sign_download(file_id).await)))
        ])
}

fn delete_file_def() -> FunctionDef {
    names!(file_id, files);
    async_def(delete_file)
        .decorator(py!(
            organization_router.delete("/{file_id:uuid}", status_code = status.HTTP_204_NO_CONTENT)
        ))
        .params([param(file_id, UUID), param(files, FileServiceDep)])
        .returns(none())
        .body(block![docstring("Remove a file."), do_(py!(files.delete(file_id).await))])
}

fn store_content_def() -> FunctionDef {
    names!(request, token, content_type, files);
    async_def(store_content)
        .decorator(py!(router.put(
            "/content",
            status_code = status.HTTP_204_NO_CONTENT,
            openapi_extra = body_of([*FileType]),
            dependencies = [Depends(allow_body(MAX_FILE_BYTES))]
        )))
        .params([
            param(request, Request),
            param(token, SignedToken),
            param(content_type, FileTypeDep),
            param(files, LocalFileServiceDep),
        ])
        .returns(none())
        .body(block![
            docstring("Send the bytes of a file; only who was given the address can do this."),
            do_(py!(files.store(token, content_type, request.stream()).await))
        ])
}

fn read_content_def() -> FunctionDef {
    names!(token, files, path, download);
    let headers = py!(dict!(
        "Content-Disposition" => attachment(download.name),
        "Content-Security-Policy" => POLICY
    ));
    async_def(read_content)
        .decorator(py!(router.get("/content", response_class = FileResponse)))
        .params([param(token, SignedToken), param(files, LocalFileServiceDep)])
        .returns(FileResponse)
        .body(block![
            docstring("Read the bytes of a file; only who was given the address can do this."),
            assign(py!((path, download)), py!(files.open(token).await)),
            return_(py!(FileResponse(path, media_type = download.content_type, headers = headers)))
        ])
}
