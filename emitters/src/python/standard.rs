//! The standard library.

astgen_pyast::vocabulary! {
    "asyncio": gather;
    "collections.abc": AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterable, Iterator,
        Mapping, MutableMapping, Sequence;
    "contextlib": asynccontextmanager, contextmanager, suppress;
    "contextvars": ContextVar, Token;
    "dataclasses": dataclass, field;
    "datetime": UTC, date, datetime, timedelta;
    "decimal": Decimal;
    "enum": Enum, IntEnum, StrEnum, auto;
    "functools": cache, lru_cache, partial, wraps;
    "hashlib": sha256;
    "http": HTTPStatus;
    "pathlib": Path;
    "time": perf_counter;
    "types": MappingProxyType;
    "typing": Annotated, Any, ClassVar, Final, Literal, NamedTuple, NewType, Protocol, Self, TypeVar, cast,
        override;
    "uuid": UUID, uuid4;
}

use astgen_pyast::{Import, import_module};

macro_rules! modules {
    ($($id:ident),* $(,)?) => {
        $(
            #[doc = concat!("`import ", stringify!($id), "`")]
            #[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
            pub const $id: Import = import_module(stringify!($id));
        )*
    };
}

modules! {
    asyncio, base64, binascii, contextlib, hashlib, hmac, json, logging, os, re, secrets, sys, time, uuid,
}
