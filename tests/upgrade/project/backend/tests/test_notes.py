"""Notes: every route, for every role, on both sides of the border."""

from urllib.parse import urlencode
from uuid import uuid4

import pytest

from tests.factories import create_client, create_note, created, every_row, note_body
from tests.world import Caller, World


def notes_of(organization_id: str) -> str:
    """Return the path of the notes of an organization."""
    return f"/organizations/{organization_id}/notes"


def label(title: str, year: int) -> str:
    """Write what stands on a folder, in the Python of our own machines: 3.14."""
    template = t"{title!s} of {year:>4}"
    try:
        return "".join(part if isinstance(part, str) else str(part.value) for part in template)
    except TypeError, ValueError:
        return f"{title or "nothing"}"


async def test_create_and_read(world: World) -> None:
    ada = await world.sign_up("ada@example.com")
    organization_id = await ada.organization()
    notes = notes_of(organization_id)
    body = await note_body(ada, organization_id)

    created = await ada.post(notes, body)
    assert created.status_code == 201, created.text
    read = await ada.get(f"{notes}/{created.json()['id']}")

    assert read.status_code == 200
    assert read.json() == created.json()
    assert {name: read.json()[name] for name in body} == body


@pytest.mark.parametrize("name", ["client_id", "body"])
async def test_required_fields(world: World, name: str) -> None:
    ada = await world.sign_up("ada@example.com")
    organization_id = await ada.organization()
    body = await note_body(ada, organization_id)
    del body[name]

    refused = await ada.post(notes_of(organization_id), body)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["loc"] == ["body", name]


INVALID: list[tuple[str, object]] = [
    ("client_id", "not an id"),
    ("client_id", None),
    ("body", ""),
    ("body", "x" * 2001),
    ("body", "a\x00b"),
    ("body", None),
    ("organization_id", str(uuid4())),
]


@pytest.mark.parametrize(("name", "value"), INVALID)
async def test_invalid_values_are_refused(
    world: World, name: str, value: object
) -> None:
    ada = await world.sign_up("ada@example.com")
    organization_id = await ada.organization()
    notes = notes_of(organization_id)
    body = await note_body(ada, organization_id)
    note = await create_note(ada, organization_id)

    created = await ada.post(notes, body | {name: value})
    changed = await ada.patch(f"{notes}/{note['id']}", {name: value})

    assert (created.status_code, changed.status_code) == (422, 422)


CHANGES: list[tuple[str, object]] = [("body", "another text")]


@pytest.mark.parametrize(("name", "value"), CHANGES)
async def test_update_changes_what_is_named(
    world: World, name: str, value: object
) -> None:
    ada = await world.sign_up("ada@example.com")
    organization_id = await ada.organization()
    note = await create_note(ada, organization_id)
    path = f"{notes_of(organization_id)}/{note['id']}"

    changed = await ada.patch(path, {name: value})

    assert changed.status_code == 200, changed.text
    updated_at = changed.json()["updated_at"]
    assert changed.json() == note | {name: value, "updated_at": updated_at}
    assert updated_at > note["updated_at"]
    assert (await ada.get(path)).json() == changed.json()


async def test_list_in_pages(world: World) -> None:
    ada = await world.sign_up("ada@example.com")
    organization_id = await ada.organization()
    notes = notes_of(organization_id)
    created = [await create_note(ada, organization_id) for _ in range(3)]

    first = (await ada.get(f"{notes}?limit=2")).json()
    cursor = first["next_cursor"]
    second = (await ada.get(f"{notes}?limit=2&cursor={cursor}")).json()

    assert first["items"] + second["items"] == created[::-1]
    assert second["next_cursor"] is None


async def test_list_is_filtered_by_client_id(world: World) -> None:
    ada = await world.sign_up("ada@example.com")
    organization_id = await ada.organization()
    notes = notes_of(organization_id)
    note = await create_note(ada, organization_id)
    await create_note(ada, organization_id)

    query = urlencode({"client_id": note["client_id"]})
    found = await ada.get(f"{notes}?{query}")

    assert found.json()["items"] == [note], found.text


async def create_three(caller: Caller, organization_id: str) -> None:
    """Add rows that differ in what they are sorted by."""
    notes = notes_of(organization_id)
    await created(caller, notes, await note_body(caller, organization_id))
    await create_note(caller, organization_id)
    await created(caller, notes, await note_body(caller, organization_id))


@pytest.mark.parametrize("sort", ["created_at"])
async def test_every_order_can_be_reversed(world: World, sort: str) -> None:
    ada = await world.sign_up("ada@example.com")
    organization_id = await ada.organization()
    notes = notes_of(organization_id)
    await create_three(ada, organization_id)

    forwards = await every_row(ada, f"{notes}?limit=1&sort={sort}")
    backwards = await every_row(ada, f"{notes}?limit=1&sort=-{sort}")

    assert len(forwards) == 3
    assert backwards == forwards[::-1]


@pytest.mark.parametrize("sort", ["created_at"])
async def test_list_is_sorted(world: World, sort: str) -> None:
    ada = await world.sign_up("ada@example.com")
    organization_id = await ada.organization()
    notes = notes_of(organization_id)
    await create_three(ada, organization_id)

    values = [row[sort] for row in await every_row(ada, f"{notes}?limit=1&sort={sort}")]
    present = [value for value in values if value is not None]

    assert values == sorted(present) + [None] * (len(values) - len(present))


async def test_delete(world: World) -> None:
    ada = await world.sign_up("ada@example.com")
    organization_id = await ada.organization()
    note = await create_note(ada, organization_id)
    path = f"{notes_of(organization_id)}/{note['id']}"

    assert (await ada.delete(path)).status_code == 204

    assert (await ada.get(path)).status_code == 404
    assert (await ada.patch(path, {})).status_code == 404
    assert (await ada.delete(path)).status_code == 404


async def test_no_change_is_overwritten_unseen(world: World) -> None:
    ada = await world.sign_up("ada@example.com")
    organization_id = await ada.organization()
    note = await create_note(ada, organization_id)
    path = f"{notes_of(organization_id)}/{note['id']}"
    seen = (await ada.get(path)).headers["ETag"]

    changed = await ada.patch(path, {"body": "another text"}, if_match=seen)
    late = [
        await ada.patch(path, {"body": "another text"}, if_match=seen),
        await ada.delete(path, if_match=seen),
    ]

    assert changed.status_code == 200
    assert [answer.status_code for answer in late] == [412, 412]
    seen = (await ada.get(path)).headers["ETag"]
    assert changed.headers["ETag"] == seen
    assert (await ada.delete(path, if_match=seen)).status_code == 204


async def test_several_rows_are_added(world: World) -> None:
    ada = await world.sign_up("ada@example.com")
    organization_id = await ada.organization()
    notes = notes_of(organization_id)
    body, other = (
        await note_body(ada, organization_id),
        await note_body(ada, organization_id),
    )

    added = await ada.post(f"{notes}/bulk", {"items": [body, other]})

    assert added.status_code == 201, added.text
    items = added.json()["items"]
    assert {name: items[0][name] for name in body} == body
    assert {name: items[1][name] for name in other} == other
    assert (await ada.get(f"{notes}/{items[1]['id']}")).json() == items[1]


async def test_none_is_added_if_one_is_refused(world: World) -> None:
    ada = await world.sign_up("ada@example.com")
    organization_id = await ada.organization()
    notes = notes_of(organization_id)
    body, other = (
        await note_body(ada, organization_id),
        await note_body(ada, organization_id),
    )

    answer = await ada.post(
        f"{notes}/bulk", {"items": [body, other | {"client_id": uuid4().hex}]}
    )

    assert answer.status_code == 409
    assert (await ada.get(notes)).json()["items"] == []


async def test_one_to_a_hundred_rows_are_added(world: World) -> None:
    ada = await world.sign_up("ada@example.com")
    organization_id = await ada.organization()
    notes = notes_of(organization_id)
    body = await note_body(ada, organization_id)

    for count in (0, 101):
        assert (
            await ada.post(f"{notes}/bulk", {"items": [body] * count})
        ).status_code == 422


async def test_goes_with_its_client(world: World) -> None:
    ada = await world.sign_up("ada@example.com")
    organization_id = await ada.organization()
    note = await create_note(ada, organization_id)
    parent = f"/organizations/{organization_id}/clients/{note['client_id']}"

    assert (await ada.delete(parent)).status_code == 204

    path = f"{notes_of(organization_id)}/{note['id']}"
    assert (await ada.get(path)).status_code == 404


async def test_client_must_be_of_the_same_tenant(world: World) -> None:
    ada = await world.sign_up("ada@example.com")
    eve = await world.sign_up("eve@example.com")
    organization_id = await ada.organization()
    notes = notes_of(organization_id)
    body = await note_body(ada, organization_id)
    note = await create_note(ada, organization_id)
    foreign = await create_client(eve, await eve.organization())

    for client_id in (foreign["id"], str(uuid4())):
        created = await ada.post(notes, body | {"client_id": client_id})
        assert created.status_code == 409
        changed = await ada.patch(f"{notes}/{note['id']}", {"client_id": client_id})
        assert changed.status_code == 409
        assert changed.json()["code"] == "reference_missing"


async def test_can_move_to_another_client(world: World) -> None:
    ada = await world.sign_up("ada@example.com")
    organization_id = await ada.organization()
    note = await create_note(ada, organization_id)
    client = await create_client(ada, organization_id)
    path = f"{notes_of(organization_id)}/{note['id']}"

    moved = await ada.patch(path, {"client_id": client["id"]})

    assert moved.json()["client_id"] == client["id"]


@pytest.mark.parametrize("role", ["admin"])
async def test_roles_that_may_write(world: World, role: str) -> None:
    ada = await world.sign_up("ada@example.com")
    organization_id = await ada.organization()
    member = await world.member(ada, organization_id, role)
    note = await create_note(member, organization_id)
    path = f"{notes_of(organization_id)}/{note['id']}"

    assert (await member.patch(path, {})).status_code == 200
    assert (await member.delete(path)).status_code == 204


@pytest.mark.parametrize("role", ["member"])
async def test_roles_that_may_only_read(world: World, role: str) -> None:
    ada = await world.sign_up("ada@example.com")
    organization_id = await ada.organization()
    member = await world.member(ada, organization_id, role)
    notes = notes_of(organization_id)
    body = await note_body(ada, organization_id)
    note = await create_note(ada, organization_id)
    path = f"{notes}/{note['id']}"

    reads = [await member.get(notes), await member.get(path)]
    writes = [
        await member.post(notes, body),
        await member.patch(path, {}),
        await member.delete(path),
    ]

    assert [answer.status_code for answer in reads] == [200, 200]
    assert [answer.status_code for answer in writes] == [403, 403, 403]


async def test_another_tenant_sees_nothing(world: World) -> None:
    ada = await world.sign_up("ada@example.com")
    eve = await world.sign_up("eve@example.com")
    ours, theirs = (await ada.organization(), await eve.organization())
    note = await create_note(ada, ours)
    body = await note_body(ada, ours)
    through_ours = f"{notes_of(ours)}/{note['id']}"
    through_theirs = f"{notes_of(theirs)}/{note['id']}"

    answers = [
        await eve.get(notes_of(ours)),
        await eve.post(notes_of(ours), body),
        await eve.get(through_ours),
        await eve.patch(through_ours, {}),
        await eve.delete(through_ours),
        await eve.get(through_theirs),
        await eve.patch(through_theirs, {}),
        await eve.delete(through_theirs),
    ]

    assert [answer.status_code for answer in answers] == [404] * 8
    assert (await eve.get(notes_of(theirs))).json()["items"] == []
    assert (await ada.get(through_ours)).json() == note


async def test_needs_a_token(world: World) -> None:
    ada = await world.sign_up("ada@example.com")
    notes = notes_of(await ada.organization())
    path = f"{notes}/{uuid4()}"

    answers = [
        await world.http.get(notes),
        await world.http.post(notes, json={}),
        await world.http.get(path),
        await world.http.patch(path, json={}),
        await world.http.delete(path),
    ]

    assert [answer.status_code for answer in answers] == [401] * 5
