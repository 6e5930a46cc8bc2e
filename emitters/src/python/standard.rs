//! The standard library.

use astgen_pyast::{Import, import, import_module};

astgen_pyast::vocabulary! {
    "abc": ABC, abstractmethod;
    "argparse": ArgumentParser, Namespace;
    "base64": b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode;
    "codecs": getincrementaldecoder;
    "collections": defaultdict;
    "collections.abc": AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterable,
        Iterator, Mapping, Sequence;
    "contextlib": AbstractContextManager, asynccontextmanager, contextmanager, suppress;
    "copy": deepcopy;
    "contextvars": ContextVar;
    "dataclasses": dataclass, field, replace;
    "datetime": UTC, date, datetime, timedelta, timezone;
    "decimal": Decimal;
    "email": message_from_bytes, message_from_string, policy;
    "email.headerregistry": Address;
    "email.message": EmailMessage;
    "email.policy": SMTP;
    "email.utils": format_datetime;
    "enum": StrEnum;
    "fcntl": LOCK_EX, flock;
    "functools": cache, partial;
    "hashlib": file_digest, sha256;
    "html": escape;
    "http": HTTPStatus;
    "http.client": HTTPConnection, HTTPException;
    "http.cookies": SimpleCookie;
    "io": BytesIO, StringIO;
    "ipaddress": IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network;
    "itertools": count;
    "logging.handlers": RotatingFileHandler;
    "multiprocessing": get_context;
    "pathlib": Path;
    "random": Random;
    "secrets": SystemRandom;
    "string": ascii_letters, digits;
    "tempfile": SpooledTemporaryFile, TemporaryDirectory, TemporaryFile;
    "threading": Thread;
    "time": monotonic, perf_counter;
    "typing": Annotated, Any, ClassVar, Final, Generic, IO, Literal, NamedTuple, Protocol, TypeGuard,
        TypeVar, Union, get_args, get_origin, get_type_hints;
    "types": FrameType, UnionType;
    "urllib.parse": parse_qsl, quote, urlencode, urlsplit;
    "uuid": UUID, uuid4;
    "weakref": WeakKeyDictionary;
    "zlib": crc32;
}

/// `import ast`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const ast: Import = import_module("ast");

/// `import asyncio`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const asyncio: Import = import_module("asyncio");

/// `import gc`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const gc: Import = import_module("gc");

/// `import hmac`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const hmac: Import = import_module("hmac");

/// `import json`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const json: Import = import_module("json");

/// `import logging`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const logging: Import = import_module("logging");

/// `import math`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const math: Import = import_module("math");

/// `import os`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const os: Import = import_module("os");

/// `import re`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const re: Import = import_module("re");

/// `import secrets`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const secrets: Import = import_module("secrets");

/// `import unicodedata`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const unicodedata: Import = import_module("unicodedata");

/// `import time`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const time: Import = import_module("time");

/// `Self` of `typing`, a keyword of Rust.
pub const SELF_TYPE: Import = import("typing", "Self");

/// `import socket`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const socket: Import = import_module("socket");

/// `import shutil`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const shutil: Import = import_module("shutil");

/// `import subprocess`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const subprocess: Import = import_module("subprocess");

/// `import shlex`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const shlex: Import = import_module("shlex");

/// `import tomllib`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const tomllib: Import = import_module("tomllib");

/// `import signal`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const signal: Import = import_module("signal");

/// `import stat`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const stat: Import = import_module("stat");

/// `import sys`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const sys: Import = import_module("sys");
