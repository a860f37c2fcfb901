"""What a person at the terminal reads: whole sentences, one write per line.

Standard library only, like everything in this package: it runs before and beside the application.
"""

import errno
import sys


class StartError(Exception):
    """The person can act on it: the text is a whole sentence, shown without a traceback."""


def say(text: str = "") -> None:
    """Write one line for the person; a terminal that went away is not an error."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except (OSError, ValueError):
        pass


def complain(text: str) -> None:
    """Write one line to the error stream."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


_OF_THE_SYSTEM = {
    errno.ENOSPC: "The disk is full: {what}. Free some space, or choose another disk: --data-dir.",
    errno.EDQUOT: "The disk quota is used up: {what}. Free some space, or use --data-dir.",
    errno.EROFS: "The file system is read-only: {what}. Choose another place: --data-dir.",
    errno.EACCES: "Permission denied: {what}. Choose a place you may write to: --data-dir.",
    errno.EMFILE: "Too many open files: raise the limit (ulimit -n 4096) and start again.",
    errno.ENOMEM: "Out of memory: {what}.",
    errno.EAGAIN: "The system refuses more processes (ulimit -u): {what}.",
}


def sentence_for(error: OSError) -> str | None:
    """Say what the system refused, or None when it is no everyday refusal (then it is a bug)."""
    template = _OF_THE_SYSTEM.get(error.errno or 0)
    if template is None:
        return None
    return template.format(what=error.filename or error.strerror)
