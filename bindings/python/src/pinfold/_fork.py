"""What a forked process must not touch: models, sessions and streams of its parent.

The threads that run them are not copied by a fork, so a call would wait forever, and so could freeing. In the child
they are therefore closed without being freed; the child loads its own.
"""

from __future__ import annotations

import os
from typing import Any, Callable, List, Protocol

from ._weak import WeakMembers


class Owner(Protocol):
    """What holds something of Rust's."""

    def _abandon(self) -> None: ...


_owners: WeakMembers[Owner] = WeakMembers()
_hooks: List[Callable[[], None]] = []


def note(owner: Owner) -> None:
    """Remembers what a child has to abandon."""
    _owners.add(owner)


def forget(handle: Any) -> None:
    """Keeps an object of the generated module from being freed."""
    if handle is not None:
        handle._handle = None


def in_child(hook: Callable[[], None]) -> None:
    """Has this done in each child."""
    _hooks.append(hook)


def _after() -> None:
    for owner in _owners:
        owner._abandon()
    _owners.clear()
    for hook in _hooks:
        hook()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after)
