"""The machine and this build."""

from __future__ import annotations

from typing import List

from . import _values
from ._native import raw
from ._values import Device

__version__ = raw.version()


def devices() -> List[Device]:
    """The devices of this machine that this build can use, the processor last.

    Raises `Unsupported` if the processor lacks what the build needs.
    """
    return [_values.lift(Device, found) for found in raw.devices()]
