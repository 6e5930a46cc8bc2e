from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from a import A
    from t import T


def f(a: "A"): ...


class K:
    def h(a: "T"): ...
