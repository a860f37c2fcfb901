"""A process supervisor in the standard library, and the world that `app.py run` keeps with it.

`app.py run` is `sys.exit(run_from_arguments(sys.argv[2:]))`. Every role calls `lifeline.watch()`
first and `lifeline.announce_ready()` once it serves.
"""

from adapters.supervisor.children import Backoff, Child, HttpReady, LineReady
from adapters.supervisor.options import RunOptions
from adapters.supervisor.run import run, run_from_arguments
from adapters.supervisor.supervise import Supervisor
from adapters.supervisor.terminal import StartError
from adapters.supervisor.world import Place, Plan, World, sandbox_world

__all__ = [
    "Backoff",
    "Child",
    "HttpReady",
    "LineReady",
    "Place",
    "Plan",
    "RunOptions",
    "StartError",
    "Supervisor",
    "World",
    "run",
    "run_from_arguments",
    "sandbox_world",
]
