"""Which benches there are: every module in tests/bench, told by its first line."""

import ast
from pathlib import Path

from adapters.devtools.place import Place
from adapters.supervisor.terminal import StartError, say


def chosen(place: Place, names: list[str]) -> str | None:
    """Return the module to run; without a name list what there is and return None.

    Raises:
        StartError: There is no bench of that name.
    """
    found = _found(place)
    if names and names[0] in found:
        return f"tests.bench.{names[0]}"
    listing = "\n".join(f"  {name:<20} {_told(path)}" for name, path in sorted(found.items()))
    known = f"There is:\n{listing}" if found else "There is no bench yet (tests/bench is empty)."
    if names:
        raise StartError(f"There is no bench '{names[0]}'. {known}")
    say(known)
    return None


def _found(place: Place) -> dict[str, Path]:
    folder = place.clone / "tests" / "bench"
    return {path.stem: path for path in folder.glob("*.py") if not path.stem.startswith("_")}


def _told(path: Path) -> str:
    told = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return told.partition("\n")[0]
