//! SQLAlchemy and Alembic.

use astgen_pyast::{Import, import_module, name};

astgen_pyast::vocabulary! {
    "alembic": context, op;
    "sqlalchemy": Boolean, CheckConstraint, Connection, Date, DateTime, Engine, ForeignKey,
        ForeignKeyConstraint, Index, Integer, MetaData, Numeric, Select, String, Text, UniqueConstraint, Uuid,
        and_, delete, event, exists, func, insert, or_, select, text, tuple_, update;
    "sqlalchemy.engine": Dialect;
    "sqlalchemy.exc": IntegrityError;
    "sqlalchemy.ext.asyncio": AsyncAttrs, AsyncEngine, AsyncSession, async_sessionmaker,
        create_async_engine;
    "sqlalchemy.orm": DeclarativeBase, Mapped, MappedAsDataclass, ORMExecuteState, Session, UOWTransaction,
        declared_attr, mapped_column, with_loader_criteria;
    "sqlalchemy.pool": NullPool, StaticPool;
    "sqlalchemy.types": JSON, TypeDecorator;
}

/// `import sqlalchemy as sa`, as Alembic writes it.
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const sa: Import = import_module("sqlalchemy").named(name("sa"));
