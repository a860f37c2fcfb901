"""docs/settings.md and .env.example, generated from the settings themselves."""

from enum import Enum
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from adapters.settings import Settings

_MARKDOWN_HEAD = """# Settings

Generated from `adapters/settings.py` by `python app.py settings --write`; a check fails when it is
out of date. A process reads its settings from the environment once, reports every problem in one
go by the variable's name, and never prints a value.

`./dev run` sets everything by itself; these are for running the roles on your own.

| variable | default | meaning |
|---|---|---|
"""
_EXAMPLE_HEAD = """# What a production process needs to be told; docs/settings.md explains.
# Copy to .env, fill in, keep it out of version control. Generated from adapters/settings.py.
"""


def as_markdown() -> str:
    """The page docs/settings.md."""
    rows = [
        f"| `{_variable(name, field)}` | {_default(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return _MARKDOWN_HEAD + "\n".join(rows) + "\n"


def as_example() -> str:
    """The file .env.example: mandatory ones bare, the others commented out with their default."""
    lines = [_EXAMPLE_HEAD]
    for name, field in Settings.model_fields.items():
        lines.append(f"# {field.description}".replace("`", ""))
        value = "" if field.is_required() else _plain(field.default)
        mark = "" if field.is_required() else "# "
        lines.append(f"{mark}{_variable(name, field)}={value}\n")
    return "\n".join(lines)


def _variable(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    return alias if isinstance(alias, str) else f"OKD_{name.upper()}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**must be set**"
    text = _plain(field.default)
    return f"`{text}`" if text else "none"


def _plain(default: Any) -> str:  # noqa: ANN401  # a field's default is of the field's type
    if default is None or default is PydanticUndefined:
        return ""
    if isinstance(default, tuple):
        return ",".join(_plain(part) for part in default)
    if isinstance(default, Enum):
        return str(default.value)
    return str(default).lower() if isinstance(default, bool) else str(default)
