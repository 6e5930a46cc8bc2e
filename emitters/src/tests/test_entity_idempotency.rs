//! `backend/tests/test_entity_idempotency.py`: that a request with a key is done once.

use crate::core::idempotency::{KEY_LIFETIME, REPLAYED_HEADER};
use crate::models::base::utcnow;
use crate::models::package::IdempotencyKey;
use crate::python::builtins::{len, range};
use crate::python::sqlalchemy::update;
use crate::python::standard::asyncio;
use crate::tests::entities::Entities;
use crate::tests::test_entities::{ada_and_hers, each_with_room, set_body, set_rows, test};
use astgen_pyast::prelude::*;

/// The module; none where no test can make as many rows.
#[must_use]
pub fn emit(entities: &Entities<'_>) -> Option<Module> {
    entities.have_room(3).then(|| {
        module("tests.test_entity_idempotency")
            .docstring("A request that adds a row, and has a key, is done once.")
            .body(block![replay_test(), parallel_test()])
    })
}

/// `headers = {**ada.headers, "Idempotency-Key": "a-key"}`
fn set_headers() -> Stmt {
    names!(ada, headers);
    assign(headers, py!(dict!(**ada.headers, "Idempotency-Key" => "a-key")))
}

/// `await world.http.post(rows, json=body, headers=headers)`
fn posted(content: Expr) -> Expr {
    names!(world, headers, rows);
    py!(world.http.post(rows, json = content, headers = headers).await)
}

fn replay_test() -> FunctionDef {
    names!(world, entity, ada, organization_id, rows, body, empty, first, again, other, late);
    names!(past, items);
    test("test_a_request_with_a_key_is_done_once", each_with_room(3)).body(block![
        ada_and_hers(),
        set_rows(),
        set_body(),
        set_headers(),
        assign(empty, posted(py!(dict!()))).paragraph(),
        assign(first, posted(body.into_expr())),
        assign(again, posted(body.into_expr())),
        assign(other, posted(py!([body]))),
        assert_(py!((empty.status_code, first.status_code) == (422, 201))).paragraph(),
        assert_(py!((again.status_code, again.content) == (201, first.content))),
        assert_(py!(again.headers["ETag"] == first.headers["ETag"])),
        assert_(py!(again.headers[REPLAYED_HEADER] == "true")),
        assert_(py!(other.json()["code"] == "idempotency_key_reused")),
        assign(past, py!(utcnow() - 2 * KEY_LIFETIME)).paragraph(),
        do_(py!(world.change(update(IdempotencyKey).values(created_at = past)).await)),
        assign(late, posted(py!(entity.body(ada, organization_id).await))),
        assign(items, py!(ada.get(rows).await.json()["items"])),
        assert_(py!((late.status_code, len(items)) == (201, 2)))
    ])
}

fn parallel_test() -> FunctionDef {
    names!(world, ada, rows, body, headers, requests, answers, answer, codes, _turn);
    test("test_of_parallel_requests_with_a_key_one_is_done", each_with_room(3)).body(block![
        ada_and_hers(),
        set_rows(),
        set_body(),
        set_headers(),
        assign(
            requests,
            py!(list!(world.http.post(rows, json = body, headers = headers) for _turn in range(5)))
        )
        .paragraph(),
        assign(answers, py!(asyncio.gather(*requests).await)),
        assign(codes, py!(set!(answer.status_code for answer in answers))),
        assert_(py!(in_!(201, codes))).paragraph(),
        assert_(py!(codes <= set!(201, 409))),
        assert_(py!(len(ada.get(rows).await.json()["items"]) == 1))
    ])
}
