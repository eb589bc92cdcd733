"""What a long stage says while it works, to whoever listens in the same process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["listening", "say"]

_listener: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


def say(text: str) -> None:
    """Tell the listener, if there is one, how far a stage is."""
    listener = _listener.get()
    if listener is not None:
        listener(text)


@contextmanager
def listening(listener: Callable[[str], None]) -> Iterator[None]:
    """Hear what is said within."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
