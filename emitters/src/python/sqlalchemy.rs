//! SQLAlchemy and Alembic.

astgen_pyast::vocabulary! {
    "sqlalchemy": BigInteger, Column, Connection, DateTime, Dialect, Enum, Executable, ForeignKey, ForeignKeyConstraint, Index, JSON, MetaData, Numeric, Select, String, Table, Text, TypeDecorator, UniqueConstraint, Update, Uuid, and_, event, r#false, func, inspect, literal, select, text, tuple_, update;
    "sqlalchemy.engine.interfaces": DBAPIConnection;
    "sqlalchemy.exc": IntegrityError;
    "sqlalchemy.ext.asyncio": AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine;
    "sqlalchemy.orm": DeclarativeBase, Mapped, ORMExecuteState, Session, SessionTransaction, UOWTransaction, joinedload, mapped_column, relationship, with_loader_criteria;
    "sqlalchemy.pool": ConnectionPoolEntry;
    "sqlalchemy.sql": ClauseElement, ColumnElement;
    "sqlalchemy.sql.visitors": iterate;
    "sqlalchemy.types": TypeEngine;
}
