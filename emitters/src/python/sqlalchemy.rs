//! SQLAlchemy and Alembic.

use astgen_pyast::{Import, import_module, name};

astgen_pyast::vocabulary! {
    "alembic": command, context, op;
    "alembic.autogenerate.api": AutogenContext;
    "alembic.config": Config;
    "alembic.script": ScriptDirectory;
    "alembic.util": CommandError;
    "sqlalchemy": Alias, BigInteger, Column, ColumnClause, ColumnElement, Connection, DateTime, Delete, Dialect,
        Enum, Executable, ForeignKey, ForeignKeyConstraint, Index, JSON, MetaData, Numeric, ScalarSelect, Select,
        SelectBase, String, Table, Text, TextClause, TypeDecorator, URL, UniqueConstraint, Update,
        Uuid, and_, cast, delete, event, exists, r#false, func, insert, inspect, literal, literal_column,
        make_url, or_, select, text, r#true, tuple_, union, union_all, update;
    "sqlalchemy.dialects": postgresql, sqlite;
    "sqlalchemy.engine.interfaces": DBAPIConnection, ExceptionContext, ExecutionContext;
    "sqlalchemy.exc": DBAPIError, IntegrityError, SQLAlchemyError;
    "sqlalchemy.ext.asyncio": AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine;
    "sqlalchemy.orm": DeclarativeBase, InstrumentedAttribute, Mapped, ORMExecuteState, Session, SessionTransaction,
        UOWTransaction, aliased, configure_mappers, foreign, joinedload, mapped_column, relationship, remote,
        selectinload, subqueryload, with_loader_criteria;
    "sqlalchemy.pool": ConnectionPoolEntry, NullPool, PoolProxiedConnection, QueuePool;
    "sqlalchemy.sql": ClauseElement;
    "sqlalchemy.sql.annotation": Annotated;
    "sqlalchemy.sql.base": ExecutableOption;
    "sqlalchemy.sql.dml": UpdateBase;
    "sqlalchemy.sql.selectable": AliasedReturnsRows;
    "sqlalchemy.sql.visitors": ExternallyTraversible;
    "sqlalchemy.types": TypeEngine;
}

/// `import sqlalchemy as sa`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const sa: Import = import_module("sqlalchemy").named(name("sa"));
