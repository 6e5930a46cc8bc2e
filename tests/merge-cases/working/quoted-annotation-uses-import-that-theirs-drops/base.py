import typing as t

if t.TYPE_CHECKING:
    import typing_extensions as te


class Response:
    def data(self, as_text: "te.Literal[False]" = False) -> bytes:
        return self.bytes
