"""A set that does not keep its members alive and may be read while other threads change it."""

from __future__ import annotations

import weakref
from typing import Dict, Generic, Iterator, TypeVar

_Member = TypeVar("_Member")


class WeakMembers(Generic[_Member]):
    """Members by identity. `weakref.WeakSet` fails when it grows during an iteration; a copy of a `dict` does not."""

    __slots__ = ("_members",)

    def __init__(self) -> None:
        self._members: Dict[int, weakref.ref[_Member]] = {}

    def add(self, member: _Member) -> None:
        """Takes a member in until nobody else holds it."""
        members, key = self._members, id(member)
        members[key] = weakref.ref(member, lambda _: members.pop(key, None))

    def __iter__(self) -> Iterator[_Member]:
        for reference in list(self._members.values()):
            member = reference()
            if member is not None:
                yield member

    def clear(self) -> None:
        """Takes all out."""
        self._members.clear()
