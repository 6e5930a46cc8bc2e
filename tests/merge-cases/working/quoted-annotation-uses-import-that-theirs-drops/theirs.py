import typing as t


class Response:
    def data(self, as_text: bool = False) -> bytes:
        return self.bytes
