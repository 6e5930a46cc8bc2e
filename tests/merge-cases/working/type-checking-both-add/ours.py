from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from a import A
    from m import M


def f(a: "A"): ...


def g(a: "M"): ...
