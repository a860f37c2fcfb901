"""The JavaScript clients of the field.

`package.json` pins them. @graphql-codegen/cli stays at 5: 6 and 7 do not start on Node 18, which is
what Debian 12 has and `.ci/run` installs. npm warns of engines there; all of it runs (tried).
"""

import shutil
import subprocess
from pathlib import Path

from tests.packages import demand_node, installed

__all__ = ["demand_node", "node_modules", "run_script", "workplace"]

HERE = Path(__file__).parent


def node_modules() -> Path:
    """The folder of the packages."""
    return installed(HERE)


def workplace(place: Path, *scripts: str) -> Path:
    """``place`` with scripts of this folder, and their packages beside them."""
    (place / "node_modules").symlink_to(node_modules())
    for script in scripts:
        shutil.copy(HERE / script, place)
    return place


def run_script(place: Path, script: str, *arguments: str) -> str:
    """What a script of the workplace prints; its failure is the test's."""
    ran = subprocess.run(  # noqa: S603  # our own script
        ["node", script, *arguments],  # noqa: S607  # the person's own node
        cwd=place,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
