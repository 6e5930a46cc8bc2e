//! Python's built-in names: they need no import.

use astgen_pyast::{Name, name};

macro_rules! builtins {
    ($($id:ident),* $(,)?) => {
        $(
            #[doc = concat!("`", stringify!($id), "`")]
            #[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
            pub const $id: Name = name(stringify!($id));
        )*
    };
}

builtins! {
    ArithmeticError, AssertionError, AttributeError, BaseException, BaseExceptionGroup,
    BlockingIOError, BrokenPipeError, BufferError, BytesWarning, ChildProcessError,
    ConnectionAbortedError, ConnectionError, ConnectionRefusedError, ConnectionResetError,
    DeprecationWarning, EOFError, EnvironmentError, Exception, ExceptionGroup,
    FileExistsError, FileNotFoundError, FloatingPointError, FutureWarning, GeneratorExit,
    IOError, ImportError, ImportWarning, IndentationError, IndexError, InterruptedError,
    IsADirectoryError, KeyError, KeyboardInterrupt, LookupError, MemoryError,
    ModuleNotFoundError, NameError, NotADirectoryError, NotImplemented, NotImplementedError,
    OSError, OverflowError, PendingDeprecationWarning, PermissionError, ProcessLookupError,
    RecursionError, ReferenceError, ResourceWarning, RuntimeError, RuntimeWarning,
    StopAsyncIteration, StopIteration, SyntaxError, SyntaxWarning, SystemError, SystemExit,
    TabError, TimeoutError, TypeError, UnboundLocalError, UnicodeDecodeError,
    UnicodeEncodeError, UnicodeError, UnicodeTranslateError, UnicodeWarning, UserWarning,
    ValueError, Warning, ZeroDivisionError, abs, aiter, all, anext, any, ascii, bin, bool,
    breakpoint, bytearray, bytes, callable, chr, classmethod, compile, complex, delattr,
    dict, dir, divmod, enumerate, eval, exec, filter, float, format, frozenset, getattr,
    globals, hasattr, hash, hex, id, input, int, isinstance, issubclass, iter, len, list,
    locals, map, max, memoryview, min, next, object, oct, open, ord, pow, print, property,
    range, repr, reversed, round, set, setattr, slice, sorted, staticmethod, str, sum,
    tuple, vars, zip, __file__, __name__,
}

/// `type`, a keyword of Rust.
pub const TYPE: Name = name("type");
