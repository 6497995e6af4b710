"""Puts the shared library into the wheel, beside the module that UniFFI generated.

The library is the one that `cargo build --release --workspace` makes, or that `PINFOLD_LIBRARY` names. maturin would
build the crate by itself, which is another selection of features: cargo would compile llama.cpp a second time. It would
also generate the module anew instead of taking the committed one.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent

if sys.platform == "darwin":
    NAME = "libpinfold_ffi.dylib"
elif sys.platform == "win32":
    NAME = "pinfold_ffi.dll"
else:
    NAME = "libpinfold_ffi.so"


class LibraryHook(BuildHookInterface[Any]):
    """The build hook that hatchling calls."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds or finds the library and marks the wheel as one for this platform and every Python 3."""
        if version == "editable":
            raise RuntimeError("an editable install has no library: build and install the wheel")
        library = self.stripped(find_library())
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_tag()}"
        build_data["force_include"][str(library)] = f"pinfold/generated/{NAME}"
        for licence in ("LICENSE-MIT", "LICENSE-APACHE", "NOTICE"):
            name = f"{self.metadata.core.name}-{self.metadata.version}.dist-info/licenses/{licence}"
            build_data["force_include"][str(REPOSITORY / licence)] = name

    def stripped(self, library: Path) -> Path:
        """A copy without the symbols that only a debugger and the generator read, where the tool for it exists."""
        copy = Path(self.directory) / "build" / NAME
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(library, copy)
        strip = shutil.which("strip")
        if strip and sys.platform == "linux":
            subprocess.run([strip, "--strip-unneeded", str(copy)], check=True)
        elif strip and sys.platform == "darwin":
            subprocess.run([strip, "-x", str(copy)], check=True)
        return copy


def find_library() -> Path:
    """The library that was named, or the one of the workspace after a build of it."""
    named = os.environ.get("PINFOLD_LIBRARY")
    if named:
        library = Path(named)
    else:
        # The flags of the Makefile: with others llama.cpp is compiled again.
        subprocess.run(["cargo", "build", "--release", "--workspace"], cwd=REPOSITORY, check=True)
        question = ["cargo", "metadata", "--format-version=1", "--no-deps"]
        answer = subprocess.run(question, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE)
        library = Path(json.loads(answer.stdout)["target_directory"]) / "release" / NAME
    if not library.is_file():
        raise FileNotFoundError(f"no library at {library}")
    return library


def platform_tag() -> str:
    """This platform's tag, e.g. `linux_x86_64`. A wheel for PyPI gets its manylinux tag from auditwheel."""
    # A Python for both of a Mac's processors; the library is for the one that built it.
    found = sysconfig.get_platform().replace("universal2", platform.machine())
    return found.replace("-", "_").replace(".", "_")
