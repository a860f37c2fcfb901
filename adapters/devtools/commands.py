"""The table of commands behind `./dev`, and how a word becomes one of them."""

import difflib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from adapters.devtools.place import Place, here
from adapters.supervisor.terminal import StartError, complain, say, sentence_for


@dataclass(frozen=True, slots=True)
class Command:
    """One word after `./dev`; `act` gets the place and the words that follow."""

    name: str
    usage: str
    summary: str
    act: Callable[[Place, list[str]], int]


def main(words: Sequence[str]) -> int:
    """Do what the words say and return the exit code; a refusal is one sentence."""
    if not words or words[0] in {"help", "-h", "--help"}:
        return _help()
    command = _TABLE.get(words[0])
    if command is None:
        complain(_unknown(words[0]))
        return 2
    place = here()
    _keep_bytecode(place)
    try:
        return command.act(place, list(words[1:]))
    except StartError as error:
        complain(str(error))
    except OSError as error:
        sentence = sentence_for(error)
        if sentence is None:
            raise
        complain(sentence)
    except KeyboardInterrupt:
        complain("\nInterrupted.")
        return 130
    return 1


def _keep_bytecode(place: Place) -> None:
    """Move bytecode out of the tree, where the person asked for none in it.

    Without any, each of the five processes of a run compiles some thousand modules at every start:
    25 s instead of 4 were measured on two busy cores.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        os.environ.setdefault("PYTHONPYCACHEPREFIX", str(place.clone / ".venv-bytecode"))


def _unknown(word: str) -> str:
    near = difflib.get_close_matches(word, _TABLE, n=1, cutoff=0.5)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return f"There is no command '{word}'.{hint} ./dev help lists them all."


def _help() -> int:
    say("The front door of OKD Finance's GraphQL gateway.\n")
    for command in _TABLE.values():
        say(f"  ./dev {command.name + ' ' + command.usage:<34} {command.summary}")
    say("\n./dev run --help has the options of run. The first command fills .venv; set OKD_PYTHON")
    say("to an interpreter that has the packages already to skip that.")
    return 0


def _run(place: Place, words: list[str]) -> int:
    from adapters.devtools import environment, front_end  # noqa: PLC0415 - one command's own
    from adapters.supervisor.options import parse  # noqa: PLC0415

    options = parse(words)  # A wrong word is told before a minute of installing, not after.
    if not place.app.exists():
        raise StartError("There is no app.py in this clone yet, so there is nothing to run.")
    python = environment.python_for("sandbox", place)
    if options.build_web and front_end.is_current(place):
        options = replace(options, build_web=False)
    os.chdir(place.clone)
    _become([python, "app.py", "run", *options.as_arguments()])


def _test(place: Place, words: list[str]) -> int:
    from adapters.devtools import environment  # noqa: PLC0415

    for word, variable in _TEST_WORDS.items():
        if word in words:
            words = [other for other in words if other != word]
            os.environ[variable] = "1"
    python = environment.python_for("dev", place)
    os.chdir(place.clone)
    # By file: a module's servers are started once. Words of the caller come last and win.
    _become([python, "-m", "pytest", "-n", "2", "--dist", "loadfile", *words])


def _check(place: Place, words: list[str]) -> int:
    from adapters.devtools import checks, environment  # noqa: PLC0415

    _no_words("check", words)
    return checks.run(place, environment.python_for("dev", place))


def _bench(place: Place, words: list[str]) -> int:
    from adapters.devtools import benches, environment  # noqa: PLC0415

    module = benches.chosen(place, words[:1])
    if module is not None:
        python = environment.python_for("dev", place)
        os.chdir(place.clone)
        _become([python, "-m", module, *words[1:]])
    return 0


def _web(place: Place, words: list[str]) -> int:
    from adapters.devtools import front_end  # noqa: PLC0415

    _no_words("web", [word for word in words if word != "--beside"])
    # The supervisor's way of asking, once everything else runs.
    return front_end.build_beside(place) if "--beside" in words else front_end.build(place)


def _lock(place: Place, words: list[str]) -> int:
    from adapters.devtools import locks  # noqa: PLC0415

    _no_words("lock", [word for word in words if word != "--upgrade"])
    locks.make(place, upgrade="--upgrade" in words)
    return 0


def _doctor(place: Place, words: list[str]) -> int:
    from adapters.devtools import doctor  # noqa: PLC0415

    return doctor.run(place, words)


def _reset(place: Place, words: list[str]) -> int:
    from adapters.devtools import reset  # noqa: PLC0415

    return reset.run(place, words)


def _sandbox(place: Place, words: list[str]) -> int:
    from adapters.devtools import sandbox  # noqa: PLC0415

    return sandbox.run(place, words)


def _token(place: Place, words: list[str]) -> int:
    from adapters.devtools import identity  # noqa: PLC0415

    return identity.token(place, words)


def _totp(place: Place, words: list[str]) -> int:
    from adapters.devtools import identity  # noqa: PLC0415

    return identity.totp(place, words)


def _faucet(place: Place, words: list[str]) -> int:
    from adapters.devtools import faucet  # noqa: PLC0415

    return faucet.faucet(place, words)


def _verify_ledger(place: Place, words: list[str]) -> int:
    from adapters.devtools import ledger  # noqa: PLC0415

    return ledger.verify(place, words)


def _record(place: Place, words: list[str]) -> int:
    from adapters.devtools import environment  # noqa: PLC0415

    python = environment.python_for("sandbox", place)
    # Where the person stands: --out is told from there.
    _become([python, str(place.app), "record", *words])


def _no_words(name: str, words: list[str]) -> None:
    if words:
        raise StartError(
            f"./dev {name} does not know '{words[0]}'. ./dev help lists what it takes."
        )


def _become(command: list[str]) -> NoReturn:
    """Replace this process, so that signals reach the command and no one stands between."""
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606 - the environment's interpreter


# Words of ours among pytest's: what is too slow, or too large, to be run every time.
_TEST_WORDS = {"--long": "OKD_LONG", "--google-emulator": "OKD_GOOGLE_EMULATOR"}
_TABLE = {
    command.name: command
    for command in (
        Command("run", "[options]", "start everything and print the addresses", _run),
        Command("test", "[--long] [--google-emulator] [...]", "run the tests", _test),
        Command("check", "", "format, lint, imports, types, drift of locks and documents", _check),
        Command("bench", "[NAME]", "measure; without a name, list what there is", _bench),
        Command("web", "", "build the front end", _web),
        Command("lock", "[--upgrade]", "make the lock files from pyproject.toml", _lock),
        Command("doctor", "[--data-dir DIR]", "say what is installed, missing, running", _doctor),
        Command("sandbox", "ORDER [words]", "break the running exchange on purpose", _sandbox),
        Command("token", "USER [--second-factor]", "print a fresh ID token of the sandbox", _token),
        Command("totp", "USER", "print the current TOTP code of a sandbox user", _totp),
        Command("faucet", "USER ASSET AMOUNT", "give a sandbox user play money", _faucet),
        Command("verify-ledger", "[--root DAY:ROOT]", "prove the sandbox's books", _verify_ledger),
        Command("record", "--category ... --out FILE", "capture streams for --recording", _record),
        Command("reset", "[--data-dir DIR] [--yes]", "forget the sandbox's data", _reset),
        Command("help", "", "show this", lambda _place, _words: _help()),
    )
}
