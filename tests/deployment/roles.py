"""What app.py knows behind `python app.py`, read from its source."""

import ast
from pathlib import Path

APP = Path(__file__).parents[2] / "app.py"


def roles() -> set[str]:
    """The keys of its tables ROLES and TOOLS."""
    found: set[str] = set()
    for node in ast.parse(APP.read_text()).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict):
            found |= {str(ast.literal_eval(key)) for key in node.value.keys if key is not None}
    return found
