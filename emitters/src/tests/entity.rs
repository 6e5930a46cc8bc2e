//! `backend/tests/test_<entities>.py`: every route of an entity, for every role, on both sides of the border.

use crate::entity_names::framed;
use crate::python::builtins::{dict, list, object, range, str, tuple};
use crate::python::pytest::pytest;
use crate::python::standard::{UUID, uuid4};
use crate::spec::{Entity, EntityNames, Field, FieldKind, Spec};
use crate::tests::entity_access::{fresh_test, guard_test, limit_test, role_tests};
use crate::tests::entity_bulk::bulk_tests;
use crate::tests::entity_idempotency::idempotency_tests;
use crate::tests::entity_lists::list_tests;
use crate::tests::entity_relations::{reference_tests, unique_tests};
use crate::tests::entity_rows::{Needs, most_rows};
use crate::tests::entity_trash::trash_tests;
use crate::tests::entity_values::{changes, invalid, shown_default};
use crate::tests::entity_versions::version_tests;
use crate::tests::factories;
use crate::tests::world::{World, first_organization, sign_up};
use crate::wording::{capitalized, noun};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

/// What the tests call other things; an entity of that name is called `row` or `rows` in them.
const VARIABLES: [&str; 61] = [
    "ada",
    "added",
    "again",
    "answer",
    "answers",
    "back",
    "backwards",
    "blind",
    "body",
    "caller",
    "changed",
    "changes",
    "child",
    "count",
    "created",
    "cursor",
    "defaults",
    "deleted",
    "elsewhere",
    "eve",
    "first",
    "foreign",
    "forwards",
    "found",
    "items",
    "late",
    "member",
    "moved",
    "name",
    "now",
    "organization",
    "organization_id",
    "other",
    "ours",
    "page",
    "parent",
    "path",
    "present",
    "query",
    "read",
    "reads",
    "refused",
    "renamed",
    "required",
    "role",
    "search",
    "second",
    "seen",
    "session",
    "sort",
    "theirs",
    "through_ours",
    "through_theirs",
    "trash",
    "twin",
    "updated_at",
    "value",
    "values",
    "wanted",
    "world",
    "writes",
];

/// What the tests of an entity have in common.
pub struct Tested<'s> {
    /// The spec.
    pub spec: &'s Spec,
    /// What rows of its entities cannot be without.
    pub needs: &'s Needs<'s>,
    /// The entity.
    pub entity: &'s Entity,
    /// Its names.
    pub names: &'s EntityNames,
    /// The function that returns the path of the rows: `tasks_of`.
    pub rows_of: Name,
    /// A variable for that path: `tasks`.
    pub rows: Name,
    /// A variable for a row: `task`.
    pub row: Name,
    /// The function that writes the body of a new row: `task_body`.
    pub write: Import,
    /// The function that adds a row: `create_task`.
    pub create: Import,
}

/// The module; none where the founder of an organization cannot use the entity.
#[must_use]
pub fn emit(needs: &Needs<'_>, entity: &Entity) -> Option<Module> {
    let most = most_rows(needs, entity)?;
    let tested = &tested(needs, entity);
    let docstring = format!(
        "{}: every route, for every role, on both sides of the border.",
        capitalized(&tested.names.plural_title)
    );
    Some(module(tested.names.test_module).docstring(docstring).body(block![
        rows_of_def(tested),
        create_and_read_test(tested),
        defaults_test(tested),
        required_fields_test(tested),
        (most >= 2).then(|| invalid_values_test(tested)),
        update_test(tested),
        (most >= 3).then(|| pages_test(tested)),
        (most >= 3).then(|| list_tests(tested)),
        delete_test(tested),
        version_tests(tested),
        trash_tests(tested, most),
        (most >= 3).then(|| bulk_tests(tested)),
        (most >= 3).then(|| idempotency_tests(tested)),
        (most >= 3).then(|| unique_tests(tested)),
        (most >= 3).then(|| reference_tests(tested)),
        limit_test(tested),
        guard_test(tested),
        fresh_test(tested),
        role_tests(tested, most),
        (most >= 2).then(|| tenant_test(tested)),
        token_test(tested)
    ]))
}

fn tested<'s>(needs: &'s Needs<'s>, entity: &'s Entity) -> Tested<'s> {
    let names = &entity.names;
    Tested {
        spec: needs.spec,
        needs,
        entity,
        names,
        rows_of: framed("", names.plural, "_of"),
        rows: variable(names.plural, name("rows")),
        row: variable(names.name, name("row")),
        write: factories::body_of(names),
        create: factories::create(names),
    }
}

/// A variable of that name, where the tests have no other one.
#[must_use]
pub fn variable(wanted: Name, otherwise: Name) -> Name {
    if VARIABLES.contains(&wanted.as_str()) { otherwise } else { wanted }
}

/// `async def test_…(world: World) -> None: …`
#[must_use]
pub fn test(name: impl Identifier) -> FunctionDef {
    async_def(name).params([param("world", World)]).returns(none())
}

/// Ada, and her organization.
#[must_use]
pub fn ada_and_hers() -> [Stmt; 2] {
    names!(world, ada, organization_id);
    [sign_up(world, ada), first_organization(ada, organization_id)]
}

impl Tested<'_> {
    /// `tasks = tasks_of(organization_id)`
    #[must_use]
    pub fn set_rows(&self) -> Stmt {
        names!(organization_id);
        let rows_of = self.rows_of;
        assign(self.rows, py!(rows_of(organization_id)))
    }

    /// `body = await task_body(ada, organization_id)`
    #[must_use]
    pub fn set_body(&self) -> Stmt {
        names!(ada, organization_id, body);
        let write = self.write;
        assign(body, py!(write(ada, organization_id).await))
    }

    /// `task = await create_task(ada, organization_id)`
    #[must_use]
    pub fn set_row(&self, caller: Name) -> Stmt {
        names!(organization_id);
        let create = self.create;
        assign(self.row, py!(create(caller, organization_id).await))
    }

    /// `path = f"{tasks_of(organization_id)}/{task['id']}"`
    #[must_use]
    pub fn set_path(&self) -> Stmt {
        names!(organization_id, path);
        let (rows_of, row) = (self.rows_of, self.row);
        assign(path, py!(f!("{}/{}", rows_of(organization_id), row["id"])))
    }
}

fn rows_of_def(tested: &Tested<'_>) -> FunctionDef {
    names!(organization_id);
    let path = f_string([
        string("/organizations/"),
        formatted(organization_id),
        string(format!("/{}", tested.names.path)),
    ]);
    let plural = noun(&tested.names.plural_title);
    def(tested.rows_of).params([param(organization_id, str)]).returns(str).body(block![
        docstring(format!("Return the path of the {plural} of an organization.")),
        return_(path)
    ])
}

fn create_and_read_test(tested: &Tested<'_>) -> FunctionDef {
    names!(ada, body, created, read);
    let rows = tested.rows;
    test("test_create_and_read").body(block![
        ada_and_hers(),
        tested.set_rows(),
        tested.set_body(),
        assign(created, py!(ada.post(rows, body).await)).paragraph(),
        assert_that(py!(created.status_code == 201), py!(created.text)),
        assign(read, py!(ada.get(f!("{}/{}", rows, created.json()["id"])).await)),
        assert_(py!(read.status_code == 200)).paragraph(),
        assert_(py!(read.json() == created.json())),
        assert_(py!(dict!(name => read.json()[name] for name in body) == body))
    ])
}

fn is_required(field: &&Field) -> bool {
    !field.optional && !field.has_default()
}

fn defaults_test(tested: &Tested<'_>) -> Option<FunctionDef> {
    names!(ada, organization_id, body, required, created, defaults);
    let (rows_of, fields) = (tested.rows_of, &tested.entity.fields);
    let shown = fields.iter().filter(|field| !is_required(field));
    let shown = shown.filter_map(|field| Some((field.column.as_str(), shown_default(field)?)));
    let shown: Vec<(&str, Expr)> = shown.collect();
    let needed = fields.iter().filter(is_required).map(|field| field.column.as_str());
    let needed: Vec<(&str, Expr)> = needed.map(|column| (column, py!(body[column]))).collect();
    if shown.is_empty() {
        return None;
    }
    let has_json =
        fields.iter().any(|field| matches!(field.kind, FieldKind::Json { default: Some(_) }));
    let shown = make::dict(shown);
    let sent = if needed.is_empty() { py!(dict!()) } else { required.into_expr() };
    let preparation =
        (!needed.is_empty()).then(|| [tested.set_body(), assign(required, make::dict(needed))]);
    Some(test("test_defaults").body(block![
        ada_and_hers(),
        preparation,
        assign(created, py!(ada.post(rows_of(organization_id), sent).await)).paragraph(),
        // What an empty list or dictionary holds has to be said.
        if has_json {
            ann_assign(defaults, py!(dict[(str, object)]), shown).paragraph()
        } else {
            assign(defaults, shown).paragraph()
        },
        assert_(py!(dict!(name => created.json()[name] for name in defaults) == defaults))
    ]))
}

fn required_fields_test(tested: &Tested<'_>) -> Option<FunctionDef> {
    names!(name, ada, organization_id, body, refused);
    let rows_of = tested.rows_of;
    let required = tested.entity.fields.iter().filter(is_required);
    let required: Vec<&str> = required.map(|field| field.column.as_str()).collect();
    if required.is_empty() {
        return None;
    }
    Some(
        test("test_required_fields")
            .decorator(py!(pytest.mark.parametrize("name", [..required])))
            .params([param(name, str)])
            .body(block![
                ada_and_hers(),
                tested.set_body(),
                delete([py!(body[name])]),
                assign(refused, py!(ada.post(rows_of(organization_id), body).await)).paragraph(),
                assert_(py!(refused.status_code == 422)).paragraph(),
                assert_(py!(refused.json()["errors"][0]["loc"] == ["body", name]))
            ]),
    )
}

/// `INVALID: list[tuple[str, object]] = […]`
fn cases(constant: Name, cases: impl IntoIterator<Item = (Name, Expr)>) -> Stmt {
    let cases = cases.into_iter().map(|(column, value)| {
        let column = column.as_str();
        py!((column, value))
    });
    ann_assign(constant, py!(list[tuple[(str, object)]]), make::list(cases))
}

fn each(values: fn(&Field) -> Vec<Expr>, fields: &[Field]) -> Vec<(Name, Expr)> {
    let each =
        |field: &Field| values(field).into_iter().map(|value| (field.column, value)).collect();
    fields.iter().flat_map::<Vec<_>, _>(each).collect()
}

fn invalid_values_test(tested: &Tested<'_>) -> Vec<Stmt> {
    names!(INVALID, organization_id, name, value, ada, body, created, changed);
    let (rows, row) = (tested.rows, tested.row);
    // Nobody chooses where a row belongs.
    let foreign = (organization_id, py!(str(UUID(int = 7))));
    let invalid = each(invalid, &tested.entity.fields).into_iter().chain([foreign]);
    let refused = test("test_invalid_values_are_refused")
        .decorator(py!(pytest.mark.parametrize(("name", "value"), INVALID)))
        .params([param(name, str), param(value, object)])
        .body(block![
            ada_and_hers(),
            tested.set_rows(),
            tested.set_body(),
            tested.set_row(ada),
            assign(created, py!(ada.post(rows, body | dict!(name => value)).await)).paragraph(),
            assign(
                changed,
                py!(ada.patch(f!("{}/{}", rows, row["id"]), dict!(name => value)).await)
            ),
            assert_(py!((created.status_code, changed.status_code) == (422, 422))).paragraph()
        ]);
    block![cases(INVALID, invalid), refused]
}

fn update_test(tested: &Tested<'_>) -> Option<Vec<Stmt>> {
    names!(CHANGES, name, value, ada, path, changed, updated_at);
    let row = tested.row;
    let changes = each(changes, &tested.entity.fields);
    if changes.is_empty() {
        return None;
    }
    let update = test("test_update_changes_what_is_named")
        .decorator(py!(pytest.mark.parametrize(("name", "value"), CHANGES)))
        .params([param(name, str), param(value, object)])
        .body(block![
            ada_and_hers(),
            tested.set_row(ada),
            tested.set_path(),
            assign(changed, py!(ada.patch(path, dict!(name => value)).await)).paragraph(),
            assert_that(py!(changed.status_code == 200), py!(changed.text)).paragraph(),
            assign(updated_at, py!(changed.json()["updated_at"])),
            assert_(py!(changed.json() == row | dict!(name => value, "updated_at" => updated_at))),
            assert_(py!(updated_at > row["updated_at"])),
            assert_(py!(ada.get(path).await.json() == changed.json()))
        ]);
    Some(block![cases(CHANGES, changes), update])
}

fn pages_test(tested: &Tested<'_>) -> FunctionDef {
    names!(ada, organization_id, created, first, cursor, second);
    let (rows, create) = (tested.rows, tested.create);
    let backwards = slice(None, None, Some(integer(-1)));
    test("test_list_in_pages").body(block![
        ada_and_hers(),
        tested.set_rows(),
        assign(created, py!(list!(create(ada, organization_id).await for _ in range(3)))),
        assign(first, py!(ada.get(f!("{}?limit=2", rows)).await.json())).paragraph(),
        assign(cursor, py!(first["next_cursor"])),
        assign(second, py!(ada.get(f!("{}?limit=2&cursor={}", rows, cursor)).await.json())),
        assert_(py!(first["items"] + second["items"] == created[backwards])).paragraph(),
        assert_(py!(second["next_cursor"] == None))
    ])
}

fn delete_test(tested: &Tested<'_>) -> FunctionDef {
    names!(ada, path);
    test("test_delete").body(block![
        ada_and_hers(),
        tested.set_row(ada),
        tested.set_path(),
        assert_(py!(ada.delete(path).await.status_code == 204)).paragraph(),
        assert_(py!(ada.get(path).await.status_code == 404)).paragraph(),
        assert_(py!(ada.patch(path, dict!()).await.status_code == 404)),
        assert_(py!(ada.delete(path).await.status_code == 404))
    ])
}

fn tenant_test(tested: &Tested<'_>) -> FunctionDef {
    names!(world, ada, eve, ours, theirs, body, through_ours, through_theirs, answers);
    let Tested { rows_of, row, write, create, .. } = *tested;
    test("test_another_tenant_sees_nothing").body(block![
        sign_up(world, ada),
        sign_up(world, eve),
        assign(py!((ours, theirs)), py!((ada.organization().await, eve.organization().await))),
        assign(row, py!(create(ada, ours).await)),
        assign(body, py!(write(ada, ours).await)),
        assign(through_ours, py!(f!("{}/{}", rows_of(ours), row["id"]))),
        assign(through_theirs, py!(f!("{}/{}", rows_of(theirs), row["id"]))),
        assign(
            answers,
            py!([
                eve.get(rows_of(ours)).await,
                eve.post(rows_of(ours), body).await,
                eve.get(through_ours).await,
                eve.patch(through_ours, dict!()).await,
                eve.delete(through_ours).await,
                eve.get(through_theirs).await,
                eve.patch(through_theirs, dict!()).await,
                eve.delete(through_theirs).await
            ])
        )
        .paragraph(),
        assert_(py!(list!(answer.status_code for answer in answers) == [404] * 8)).paragraph(),
        assert_(py!(eve.get(rows_of(theirs)).await.json()["items"] == [])),
        assert_(py!(ada.get(through_ours).await.json() == row))
    ])
}

fn token_test(tested: &Tested<'_>) -> FunctionDef {
    names!(world, ada, path, answers);
    let (rows, rows_of) = (tested.rows, tested.rows_of);
    test("test_needs_a_token").body(block![
        sign_up(world, ada),
        assign(rows, py!(rows_of(ada.organization().await))),
        assign(path, py!(f!("{}/{}", rows, uuid4()))),
        assign(
            answers,
            py!([
                world.http.get(rows).await,
                world.http.post(rows, json = dict!()).await,
                world.http.get(path).await,
                world.http.patch(path, json = dict!()).await,
                world.http.delete(path).await
            ])
        )
        .paragraph(),
        assert_(py!(list!(answer.status_code for answer in answers) == [401] * 5)).paragraph()
    ])
}
