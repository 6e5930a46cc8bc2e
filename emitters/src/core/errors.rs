//! `backend/app/core/errors.py`: errors as problem documents (RFC 9457), and nothing that the caller sent.

use crate::core::request_id::REQUEST_ID_HEADER;
use crate::python::builtins::{
    __name__, Exception, TYPE, dict, frozenset, getattr, int, iter, list, next, set, sorted, str,
    tuple,
};
use crate::python::fastapi::{
    HTTPException, Request, RequestValidationError, Response, iter_route_contexts,
};
use crate::python::pydantic::{BaseModel, Field};
use crate::python::sqlalchemy::DBAPIError;
use crate::python::standard::{
    Any, Callable, ClassVar, Coroutine, HTTPStatus, Mapping, json, logging,
};
use crate::spec::{Auth, Spec};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.errors": logger, PROBLEM_JSON, SCHEMAS, CODES, FieldProblem, Problem, ProblemError,
        BadRequestError, UnauthorizedError, PaymentRequiredError, ForbiddenError, NotFoundError,
        ConflictError, GoneError, PreconditionFailedError, PreconditionRequiredError,
        UnsupportedMediaTypeError, TooManyRequestsError, UnavailableError, ProblemResponse, answer_problem, answer_http,
        allowed_methods, answer_invalid, counted, answer_unhandled, BUSY, DatabaseBusyError, answer_database,
        EXCEPTION_HANDLERS, PROBLEM_RESPONSES,
        document_problems;
}

/// `raise ConflictError("There is no such …", code="reference_missing")`: for what a body names and the tenant does
/// not have. 404 would say that what the path names is not there.
#[must_use]
pub fn raise_reference_missing(noun: &str) -> Stmt {
    let detail = format!("There is no such {noun}.");
    raise(py!(ConflictError(detail, code = "reference_missing")))
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let has_billing = spec.billing.is_some();
    let has_entities = !spec.entities.is_empty();
    let requires_if_match = spec.entities.iter().any(|entity| entity.requires_if_match);
    module("app.core.errors")
        .docstring("Errors as problem documents (RFC 9457), and nothing that the caller sent.")
        .body(block![
            assign(logger, py!(logging.getLogger(__name__))),
            assign(PROBLEM_JSON, "application/problem+json").paragraph(),
            assign(SCHEMAS, "#/components/schemas/{model}"),
            codes(),
            busy(),
            field_problem_class(),
            problem_class(has_billing),
            problem_error_class(has_billing),
            bad_request_error_class(),
            unauthorized_error_class(&spec.auth),
            has_billing.then(payment_required_error_class),
            forbidden_error_class(),
            not_found_error_class(),
            conflict_error_class(),
            gone_error_class(),
            has_entities.then(precondition_failed_error_class),
            requires_if_match.then(precondition_required_error_class),
            spec.storage.is_on().then(unsupported_media_type_error_class),
            too_many_requests_error_class(),
            unavailable_error_class(),
            database_busy_error_class(),
            problem_response_class(),
            answer_problem_def(has_billing),
            counted_def(),
            answer_http_def(),
            allowed_methods_def(),
            answer_invalid_def(),
            answer_database_def(),
            answer_unhandled_def(),
            exception_handlers(),
            problem_responses(spec),
            document_problems_def()
        ])
}

fn codes() -> Stmt {
    let codes = py!(dict!(
        HTTPStatus.BAD_REQUEST => "bad_request",
        HTTPStatus.UNAUTHORIZED => "unauthorized",
        HTTPStatus.NOT_FOUND => "not_found",
        HTTPStatus.METHOD_NOT_ALLOWED => "method_not_allowed",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE => "body_too_large"
    ));
    assign(CODES, codes)
        .comment("The names in `HTTPStatus` are not the same in every version of Python.")
}

fn busy() -> Stmt {
    let refusals = py!(frozenset(set!("40001", "40P01", "55P03", "SQLITE_BUSY")));
    assign(BUSY, refusals).comment(
        "Serialization failure, deadlock, lock not available; and what SQLite says to all that.",
    )
}

fn exception_handlers() -> Stmt {
    let handler = py!(Callable[([Request, Any], Coroutine[(Any, Any, Response)])]);
    let handlers = py!(dict!(
        ProblemError => answer_problem,
        HTTPException => answer_http,
        RequestValidationError => answer_invalid,
        DBAPIError => answer_database,
        Exception => answer_unhandled
    ));
    ann_assign(EXCEPTION_HANDLERS, py!(dict[(int | TYPE[Exception], handler)]), handlers)
}

fn problem_responses(spec: &Spec) -> Stmt {
    let has_billing = spec.billing.is_some();
    let has_entities = !spec.entities.is_empty();
    let has_files = spec.storage.is_on();
    let statuses = [
        Some("BAD_REQUEST"),
        Some("UNAUTHORIZED"),
        has_billing.then_some("PAYMENT_REQUIRED"),
        Some("FORBIDDEN"),
        Some("NOT_FOUND"),
        Some("METHOD_NOT_ALLOWED"),
        Some("CONFLICT"),
        Some("GONE"),
        has_entities.then_some("PRECONDITION_FAILED"),
        Some("REQUEST_ENTITY_TOO_LARGE"),
        has_files.then_some("UNSUPPORTED_MEDIA_TYPE"),
        Some("UNPROCESSABLE_ENTITY"),
        Some("TOO_MANY_REQUESTS"),
        Some("INTERNAL_SERVER_ERROR"),
        Some("SERVICE_UNAVAILABLE"),
    ];
    let statuses =
        make::tuple(statuses.into_iter().flatten().map(|status| HTTPStatus.attr(status)));
    let content = py!(dict!(
        PROBLEM_JSON => dict!("schema" => dict!("$ref" => SCHEMAS.format(model = "Problem")))
    ));
    let responses = py!(dict!(
        status.value => dict!("description" => status.phrase, "content" => content)
        for status in statuses
    ));
    ann_assign(PROBLEM_RESPONSES, py!(dict[(int | str, dict[(str, Any)])]), responses)
        .comment("A model here would cost every route one field per status at start-up.")
        .paragraph()
}

fn field_problem_class() -> ClassDef {
    names!(loc, msg, r#type);
    class(FieldProblem).base(BaseModel).body(block![
        docstring("What is wrong with one part of a request."),
        ann_assign(
            loc,
            py!(tuple[(str | int, ellipsis!())]),
            py!(Field(description = "The way to the part."))
        ),
        ann_assign(msg, str, py!(Field(description = "A sentence for people."))),
        ann_assign(
            r#type,
            str,
            py!(Field(description = "A stable word for this kind of problem."))
        )
    ])
}

fn problem_class(has_billing: bool) -> ClassDef {
    names!(r#type, title, status, code, detail, request_id, errors, upgrade);
    let plans = py!(Field(default = None, description = "The plans that would allow the request."));
    class(Problem).base(BaseModel).body(block![
        docstring("What every error answer looks like."),
        ann_assign(r#type, str, "about:blank"),
        ann_assign(title, str, py!(Field(description = "The status in words."))),
        ann_assign(status, int, py!(Field(description = "The status of the response."))),
        ann_assign(code, str, py!(Field(description = "A stable word for this kind of error."))),
        ann_assign(detail, str, py!(Field(description = "A sentence for people."))),
        ann_assign(request_id, str, py!(Field(description = "Names the request in the log."))),
        ann_assign(
            errors,
            py!(list[FieldProblem] | None),
            py!(Field(
                default = None,
                description = "What is wrong with the request, part by part."
            ))
        ),
        has_billing.then(|| ann_assign(upgrade, py!(list[str] | None), plans))
    ])
}

fn problem_error_class(has_billing: bool) -> ClassDef {
    names!(status, code, headers);
    class(ProblemError).base(Exception).body(block![
        docstring("An error that the caller is told about."),
        annotate(status, py!(ClassVar[HTTPStatus])),
        annotate(code, py!(ClassVar[str])),
        ann_assign(headers, py!(Mapping[(str, str)]), py!(dict!())),
        problem_error_init(has_billing)
    ])
}

fn problem_error_init(has_billing: bool) -> FunctionDef {
    names!(detail, code, upgrade);
    def("__init__")
        .params([
            untyped("self"),
            param(detail, str),
            star(),
            param(code, py!(str | None)).default(none()),
        ])
        .params(has_billing.then(|| param(upgrade, py!(list[str] | None)).default(none())))
        .returns(none())
        .body(block![
            docstring("Say what went wrong; the code is the class's unless it is given."),
            do_(py!(super().__init__(detail))),
            assign(py!(self.detail), detail),
            assign(py!(self.problem_code), py!(code || self.code)),
            has_billing.then(|| assign(py!(self.upgrade), upgrade))
        ])
}

fn bad_request_error_class() -> ClassDef {
    names!(status, code);
    class(BadRequestError).base(ProblemError).body(block![
        docstring("The request cannot be understood."),
        assign(status, py!(HTTPStatus.BAD_REQUEST)),
        assign(code, "bad_request")
    ])
}

fn unauthorized_error_class(auth: &Auth) -> ClassDef {
    names!(status, code, headers);
    // Browsers have no scheme of that name, so that none of them asks for a password of its own.
    let scheme = if auth.has_tokens() { "Bearer" } else { "Cookie" };
    class(UnauthorizedError).base(ProblemError).body(block![
        docstring("The caller is not known."),
        assign(status, py!(HTTPStatus.UNAUTHORIZED)),
        assign(code, "unauthorized"),
        ann_assign(headers, py!(Mapping[(str, str)]), py!(dict!("WWW-Authenticate" => scheme)))
    ])
}

fn payment_required_error_class() -> ClassDef {
    names!(status, code);
    class(PaymentRequiredError).base(ProblemError).body(block![
        docstring("The organization has to pay first."),
        assign(status, py!(HTTPStatus.PAYMENT_REQUIRED)),
        assign(code, "payment_required")
    ])
}

fn forbidden_error_class() -> ClassDef {
    names!(status, code);
    class(ForbiddenError).base(ProblemError).body(block![
        docstring("The caller is known and may not do this."),
        assign(status, py!(HTTPStatus.FORBIDDEN)),
        assign(code, "forbidden")
    ])
}

fn not_found_error_class() -> ClassDef {
    names!(status, code);
    class(NotFoundError).base(ProblemError).body(block![
        docstring("There is no such thing, or the caller may not know of it."),
        assign(status, py!(HTTPStatus.NOT_FOUND)),
        assign(code, "not_found")
    ])
}

fn conflict_error_class() -> ClassDef {
    names!(status, code);
    class(ConflictError).base(ProblemError).body(block![
        docstring("The request clashes with what is stored."),
        assign(status, py!(HTTPStatus.CONFLICT)),
        assign(code, "conflict")
    ])
}

fn gone_error_class() -> ClassDef {
    names!(status, code);
    class(GoneError).base(ProblemError).body(block![
        docstring("The thing was there and is not any more."),
        assign(status, py!(HTTPStatus.GONE)),
        assign(code, "gone")
    ])
}

fn precondition_failed_error_class() -> ClassDef {
    names!(status, code);
    class(PreconditionFailedError).base(ProblemError).body(block![
        docstring("The thing is not what the caller believes it to be."),
        assign(status, py!(HTTPStatus.PRECONDITION_FAILED)),
        assign(code, "precondition_failed")
    ])
}

fn precondition_required_error_class() -> ClassDef {
    names!(status, code);
    class(PreconditionRequiredError).base(ProblemError).body(block![
        docstring("The caller has to say what they believe the thing to be."),
        assign(status, py!(HTTPStatus.PRECONDITION_REQUIRED)),
        assign(code, "precondition_required")
    ])
}

fn unsupported_media_type_error_class() -> ClassDef {
    names!(status, code);
    class(UnsupportedMediaTypeError).base(ProblemError).body(block![
        docstring("The body is of a type that is not taken here."),
        assign(status, py!(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)),
        assign(code, "unsupported_media_type")
    ])
}

fn too_many_requests_error_class() -> ClassDef {
    names!(status, code);
    class(TooManyRequestsError).base(ProblemError).body(block![
        docstring("The caller has to wait."),
        assign(status, py!(HTTPStatus.TOO_MANY_REQUESTS)),
        assign(code, "too_many_requests"),
        too_many_requests_error_init()
    ])
}

fn too_many_requests_error_init() -> FunctionDef {
    names!(detail, retry_after, code, headers);
    def("__init__")
        .params([
            untyped("self"),
            param(detail, str),
            star(),
            param(retry_after, int),
            param(code, py!(str | None)).default(none()),
            param(headers, py!(Mapping[(str, str)] | None)).default(none()),
        ])
        .returns(none())
        .body(block![
            docstring("Say what there is too much of, and for how many seconds."),
            do_(py!(super().__init__(detail, code = code))),
            assign(
                py!(self.headers),
                py!(dict!(
                    "RateLimit-Remaining" => "0",
                    "RateLimit-Reset" => str(retry_after),
                    **(headers || dict!()),
                    "Retry-After" => str(retry_after)
                ))
            )
        ])
}

fn unavailable_error_class() -> ClassDef {
    names!(status, code);
    class(UnavailableError).base(ProblemError).body(block![
        docstring("This part of the application is switched off or cannot answer now."),
        assign(status, py!(HTTPStatus.SERVICE_UNAVAILABLE)),
        assign(code, "unavailable")
    ])
}

fn database_busy_error_class() -> ClassDef {
    names!(code, headers);
    class(DatabaseBusyError).base(UnavailableError).body(block![
        docstring("The database gave way to another transaction; the same request can go through."),
        assign(code, "database_busy"),
        ann_assign(headers, py!(Mapping[(str, str)]), py!(dict!("Retry-After" => "1")))
    ])
}

fn problem_response_class() -> ClassDef {
    class(ProblemResponse).base(Response).body(block![
        docstring("A problem document; what UTF-8 cannot hold is replaced."),
        problem_response_init()
    ])
}

fn problem_response_init() -> FunctionDef {
    names!(problem, headers, document);
    def("__init__")
        .params([
            untyped("self"),
            param(problem, Problem),
            param(headers, py!(Mapping[(str, str)] | None)).default(none()),
        ])
        .returns(none())
        .body(block![
            docstring("Encode the document, which never fails."),
            assign(
                document,
                py!(json.dumps(problem.model_dump(exclude_none = true), ensure_ascii = false))
            ),
            do_(py!(super().__init__(
                document.encode("utf-8", "replace"),
                status_code = problem.status,
                headers = headers,
                media_type = PROBLEM_JSON
            )))
        ])
}

fn answer_problem_def(has_billing: bool) -> FunctionDef {
    names!(request, error, problem, headers);
    async_def(answer_problem)
        .params([param(request, Request), param(error, ProblemError)])
        .returns(ProblemResponse)
        .body(block![
            docstring("Answer an error of the application."),
            assign(
                problem,
                py!(Problem(
                    title = error.status.phrase,
                    status = error.status,
                    code = error.problem_code,
                    detail = error.detail,
                    request_id = request.state.request_id,
                    ..has_billing.then(|| kw("upgrade", py!(error.upgrade)))
                ))
            ),
            assign(headers, py!(dict!(**counted(request), **error.headers))),
            return_(py!(ProblemResponse(problem, headers)))
        ])
}

fn counted_def() -> FunctionDef {
    names!(request, headers);
    def(counted).params([param(request, Request)]).returns(py!(dict[(str, str)])).body(block![
        docstring("Return what the answer tells of what is left, where that was counted."),
        ann_assign(headers, py!(dict[(str, str)]), py!(getattr(request.state, "counted", dict!()))),
        return_(headers)
    ])
}

fn answer_http_def() -> FunctionDef {
    names!(request, error, status, problem, headers);
    async_def(answer_http)
        .params([param(request, Request), param(error, HTTPException)])
        .returns(ProblemResponse)
        .body(block![
            docstring("Answer an error of the framework."),
            assign(status, py!(HTTPStatus(error.status_code))),
            assign(
                problem,
                py!(Problem(
                    title = status.phrase,
                    status = status,
                    code = CODES.get(status, "http_error"),
                    detail = error.detail,
                    request_id = request.state.request_id
                ))
            ),
            assign(headers, py!(dict(error.headers || dict!()))),
            if_(
                py!(is_!(status, HTTPStatus.METHOD_NOT_ALLOWED)),
                [assign(py!(headers["Allow"]), py!(", ".join(allowed_methods(request))))]
            ),
            return_(py!(ProblemResponse(problem, headers)))
        ])
}

fn allowed_methods_def() -> FunctionDef {
    names!(request, methods, context);
    let pattern = py!(context.path_format);
    def(allowed_methods).params([param(request, Request)]).returns(py!(list[str])).body(block![
        docstring(
            "Collect the methods of every route on the path, not of the first one only.\n\
             \n\
             A word that stands for itself, as in `/pending`, is no identifier to a route."
        ),
        ann_assign(methods, py!(dict[(str | None, set[str])]), py!(dict!())),
        for_(
            context,
            py!(iter_route_contexts(request.app.routes)),
            if_(
                py!(context.path_regex.r#match(request.url.path)),
                [do_(py!(methods.setdefault(pattern, set()).update(context.methods || set())))]
            )
        ),
        return_(py!(sorted(next(iter(methods.values()), ()))))
    ])
}

fn answer_invalid_def() -> FunctionDef {
    names!(request, error, status, problem);
    async_def(answer_invalid)
        .params([param(request, Request), param(error, RequestValidationError)])
        .returns(ProblemResponse)
        .body(block![
            docstring("Answer a request that does not match the schema, without repeating it."),
            assign(status, py!(HTTPStatus.UNPROCESSABLE_ENTITY)),
            assign(
                problem,
                py!(Problem(
                    title = status.phrase,
                    status = status,
                    code = "invalid_request",
                    detail = "The request does not match the schema.",
                    request_id = request.state.request_id,
                    errors = list!(
                        FieldProblem(
                            loc = item["loc"],
                            msg = item["msg"],
                            r#type = item["type"],
                        )
                        for item in error.errors()
                    ),
                )),
            ),
            return_(py!(ProblemResponse(problem, counted(request))))
        ])
}

fn answer_database_def() -> FunctionDef {
    names!(request, error, reason, busy);
    async_def(answer_database)
        .params([param(request, Request), param(error, DBAPIError)])
        .returns(ProblemResponse)
        .body(block![
            docstring(
                "Answer what the database refused for reasons of its own; the rest is a defect."
            ),
            assign(
                reason,
                py!(getattr(error.orig, "sqlstate", None)
                    || getattr(error.orig, "sqlite_errorname", None))
            ),
            if_(py!(not_in!(reason, BUSY)), [raise(error)]),
            do_(py!(logger.warning("The database refused a transaction: %s", reason))),
            assign(busy, py!(DatabaseBusyError("Try again in a moment."))),
            return_(py!(answer_problem(request, busy).await))
        ])
}

fn answer_unhandled_def() -> FunctionDef {
    names!(request, error, status, problem);
    async_def(answer_unhandled)
        .params([param(request, Request), param(error, Exception)])
        .returns(ProblemResponse)
        .body(block![
            docstring("Answer a defect; the log has the reason, the caller the request id."),
            do_(py!(logger.error("Unhandled error", exc_info = error))),
            assign(status, py!(HTTPStatus.INTERNAL_SERVER_ERROR)),
            assign(
                problem,
                py!(Problem(
                    title = status.phrase,
                    status = status,
                    code = "internal_error",
                    detail = "Something went wrong on our side.",
                    request_id = request.state.request_id
                ))
            ),
            return_(py!(ProblemResponse(problem, dict!(REQUEST_ID_HEADER => problem.request_id))))
        ])
}

fn document_problems_def() -> FunctionDef {
    names!(schema, problem, parts);
    def(document_problems).params([param(schema, py!(dict[(str, Any)]))]).returns(none()).body(
        block![
            docstring("Add what the responses refer to to an OpenAPI schema."),
            assign(problem, py!(Problem.model_json_schema(ref_template = SCHEMAS))),
            assign(parts, py!(problem.pop("$defs"))),
            do_(py!(schema["components"]["schemas"].update(parts, Problem = problem)))
        ],
    )
}
