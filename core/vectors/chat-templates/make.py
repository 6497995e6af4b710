"""Writes what Hugging Face's transformers makes of the cases here, for core/tests/chat_templates.rs.

- `renderings.toml`: for every chat template in the shared data and every conversation of `conversations.json`
  the first 16 digits of the SHA-256 of the rendered prompt, or `raises`. The templates and the prompts
  themselves are not kept.
- `expressions.json`: for every small template there what it renders, or null if that raises.

Needs `pip install transformers==5.24.0 jinja2==3.1.6`. Run from the root of the repository:

    python core/vectors/chat-templates/make.py ../shared/data
"""

import datetime
import hashlib
import json
import sys
from pathlib import Path

import jinja2
import transformers
from transformers.utils import chat_template_utils as chat

HERE = Path(__file__).parent
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}


class Noon(datetime.datetime):
    """The clock of the tests: 2025-07-10 12:00 UTC."""

    @classmethod
    def now(cls, tz=None):
        return cls(2025, 7, 10, 12, 0, 0, tzinfo=tz)


def templates(folder: Path):
    """The collection, the name and the source of each template."""
    for path in sorted(folder.glob("*/*")):
        source = None
        if path.suffix in (".jinja", ".jinja2"):
            source = path.read_bytes().decode()
        elif path.suffix == ".json":
            source = json.loads(path.read_text()).get("chat_template")
        # In some files it is the name of another.
        if source is not None and "{" in source:
            yield path.parent.name, path.name, source


def rendered(source: str, conversation: dict, tools: dict) -> str:
    try:
        prompts, _ = chat.render_jinja_template(
            conversations=[conversation["turns"]],
            tools=tools.get(conversation.get("tools")),
            documents=conversation.get("documents"),
            chat_template=source,
            add_generation_prompt=conversation.get("add_generation_prompt", True),
            **TOKENS,
            **conversation.get("variables", {}),
        )
    except Exception:
        return "raises"
    return hashlib.sha256(prompts[0].encode()).hexdigest()[:16]


def write_renderings(folder: Path) -> None:
    conversations = json.loads((HERE / "conversations.json").read_text())
    both = json.loads((HERE / "tools.json").read_text())
    tools = {None: None, "one": both[:1], "both": both}
    lines = [
        "# Written by make.py: one entry for each conversation of conversations.json, in their order.",
        f'transformers = "{transformers.__version__}"',
        f'jinja2 = "{jinja2.__version__}"',
    ]
    last = None
    for collection, name, source in templates(folder):
        if collection != last:
            lines += ["", f"[{collection}]"]
            last = collection
        entries = [rendered(source, conversation, tools) for conversation in conversations]
        lines.append(f"{json.dumps(name)} = {json.dumps(entries)}")
    (HERE / "renderings.toml").write_text("\n".join(lines) + "\n")


def write_expressions() -> None:
    path = HERE / "expressions.json"
    expressions = json.loads(path.read_text())
    for case in expressions["cases"]:
        try:
            template = chat._compile_jinja_template(case["source"])
            case["expected"] = template.render(**expressions["variables"])
        except Exception:
            case["expected"] = None
    variables = json.dumps(expressions["variables"], ensure_ascii=False)
    cases = ",\n".join(json.dumps(case, ensure_ascii=False) for case in expressions["cases"])
    path.write_text(f'{{"variables": {variables},\n"cases": [\n{cases}\n]}}\n')


if __name__ == "__main__":
    chat.datetime = Noon
    write_renderings(Path(sys.argv[1]) / "chat-templates")
    write_expressions()
