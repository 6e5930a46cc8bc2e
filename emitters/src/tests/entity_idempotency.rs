//! Tests of an entity: that a request with a key is done once.

use crate::core::idempotency::{KEY_LIFETIME, REPLAYED_HEADER};
use crate::models::base::utcnow;
use crate::models::package::IdempotencyKey;
use crate::python::builtins::{len, range};
use crate::python::sqlalchemy::update;
use crate::python::standard::asyncio;
use crate::tests::entity::{Tested, ada_and_hers, test};
use astgen_pyast::prelude::*;

/// The tests of an entity; each makes up to three rows.
#[must_use]
pub fn idempotency_tests(tested: &Tested<'_>) -> [FunctionDef; 2] {
    [replay_test(tested), parallel_test(tested)]
}

/// `headers = {**ada.headers, "Idempotency-Key": "a-key"}`
fn set_headers() -> Stmt {
    names!(ada, headers);
    assign(headers, py!(dict!(**ada.headers, "Idempotency-Key" => "a-key")))
}

/// `await world.http.post(rows, json=body, headers=headers)`
fn posted(tested: &Tested<'_>, content: Expr) -> Expr {
    names!(world, headers);
    let rows = tested.rows;
    py!(world.http.post(rows, json = content, headers = headers).await)
}

fn replay_test(tested: &Tested<'_>) -> FunctionDef {
    names!(world, ada, organization_id, body, empty, first, again, other, late, past, items);
    let (rows, write) = (tested.rows, tested.write);
    test("test_a_request_with_a_key_is_done_once").body(block![
        ada_and_hers(),
        tested.set_rows(),
        tested.set_body(),
        set_headers(),
        assign(empty, posted(tested, py!(dict!()))).paragraph(),
        assign(first, posted(tested, body.into_expr())),
        assign(again, posted(tested, body.into_expr())),
        assign(other, posted(tested, py!([body]))),
        assert_(py!((empty.status_code, first.status_code) == (422, 201))).paragraph(),
        assert_(py!((again.status_code, again.content) == (201, first.content))),
        assert_(py!(again.headers["ETag"] == first.headers["ETag"])),
        assert_(py!(again.headers[REPLAYED_HEADER] == "true")),
        assert_(py!(other.json()["code"] == "idempotency_key_reused")),
        assign(past, py!(utcnow() - 2 * KEY_LIFETIME)).paragraph(),
        do_(py!(world.change(update(IdempotencyKey).values(created_at = past)).await)),
        assign(late, posted(tested, py!(write(ada, organization_id).await))),
        assign(items, py!(ada.get(rows).await.json()["items"])),
        assert_(py!((late.status_code, len(items)) == (201, 2)))
    ])
}

fn parallel_test(tested: &Tested<'_>) -> FunctionDef {
    names!(world, ada, body, headers, requests, answers, answer, codes, _turn);
    let rows = tested.rows;
    test("test_of_parallel_requests_with_a_key_one_is_done").body(block![
        ada_and_hers(),
        tested.set_rows(),
        tested.set_body(),
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
