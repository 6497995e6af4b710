"""Prints the shared cases as lines, for a program without a JSON parser.

    case TAB NAME, then model or lock TAB KEY=VALUE.., then for each step: step TAB KEY=VALUE..

All names and texts are percent-encoded UTF-8, and a list is its values with commas between them.
"""

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[3]


def value(it):
    if isinstance(it, list):
        return ",".join(map(value, it))
    if isinstance(it, bool):
        return "true" if it else "false"
    return quote(str(it), safe=" ")


def line(kind, fields):
    print(kind, *(f"{key}={value(it)}" for key, it in fields.items()), sep="\t")


found = subprocess.run([sys.executable, ROOT / "tools/cases", "json"], check=True, stdout=subprocess.PIPE)
for case in json.loads(found.stdout)["case"]:
    print("case", value(case["name"]), sep="\t")
    source = "lock" if "lock" in case else "model"
    line(source, case[source])
    for step in case.get("steps", []):
        line("step", step)
