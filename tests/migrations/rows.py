"""Put rows into the tables of `first.toml`, or look at what migrations made of them.

Called as `rows.py URL insert`, or with `look` after `wider.toml`, or `left` after `narrower.toml`.
"""

import asyncio
import sys
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

ORGANIZATION = UUID(int=1)
CUSTOMER = UUID(int=2)
ORDER = UUID(int=3)


async def reflect(connection: AsyncConnection) -> sa.MetaData:
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.text(f"select set_config('app.tenant_id', '{ORGANIZATION}', true)"))
    metadata = sa.MetaData()
    await connection.run_sync(metadata.reflect)
    for table in metadata.tables.values():
        for column in table.columns:
            # SQLite keeps a UUID as text.
            if column.type._type_affinity is sa.String and column.name.endswith("id"):
                column.type = sa.Uuid()
            if isinstance(column.type, sa.NUMERIC) and column.name == "id" or column.name.endswith("_id"):
                column.type = sa.Uuid()
    return metadata


async def insert(connection: AsyncConnection, tables: sa.MetaData) -> None:
    now = datetime.now(UTC)
    times = {"created_at": now, "updated_at": now}
    own = {**times, "organization_id": ORGANIZATION, "row_version": 1}
    rows = {
        "organizations": {"id": ORGANIZATION, "name": "Shop", **times},
        "customers": {"id": CUSTOMER, "name": "Ann", "note": None, "visits": 7, **own},
        "orders": {"id": ORDER, "title": "Tea", "customer_id": CUSTOMER, "code": "t1", "old": "x", **own},
        "gadgets": {"id": UUID(int=4), "name": "Cup", **own},
    }
    for table, row in rows.items():
        await connection.execute(sa.insert(tables.tables[table]).values(row))


async def look(connection: AsyncConnection, tables: sa.MetaData) -> None:
    row = (await connection.execute(sa.select(tables.tables["customers"]))).mappings().one()
    is_sqlite = connection.dialect.name == "sqlite"
    expected = {
        "name": "Ann",
        "note": "it's: none",
        "visits": 7,
        "level": "low",
        "active": True,
        "rate": 1250 if is_sqlite else Decimal("12.50"),
        "extra": {},
        "count": 3,
        "referrer_id": None,
        "deleted_at": None,
    }
    assert {key: row[key] for key in expected} == expected, row
    age = datetime.now(UTC) - (row["at"].replace(tzinfo=UTC) if is_sqlite else row["at"])
    assert age.total_seconds() < 3600, row
    assert abs((row["since"] - datetime.now(UTC).date()).days) <= 1, row
    order = (await connection.execute(sa.select(tables.tables["orders"]))).mappings().one()
    assert (order["title"], order["customer_id"]) == ("Tea", CUSTOMER), order
    if not is_sqlite:
        walled = await connection.scalars(sa.text("select relname from pg_class where relforcerowsecurity"))
        assert {"customers", "orders", "gadgets", "labels"} <= set(walled)


async def left(connection: AsyncConnection, tables: sa.MetaData) -> None:
    assert "gadgets" not in tables.tables
    order = (await connection.execute(sa.select(tables.tables["orders"]))).mappings().one()
    assert (order["title"], order["number"]) == ("Tea", 5), order


async def main() -> None:
    _, url, action = sys.argv
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        tables = await reflect(connection)
        await {"insert": insert, "look": look, "left": left}[action](connection, tables)
    await engine.dispose()


asyncio.run(main())
