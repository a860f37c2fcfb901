"""What would break a client between two versions of the schema.

docs/schema.released.graphql is what clients were last promised; `python app.py schema --release`
makes the current schema the promise.
"""

import re
from datetime import date

from graphql import GraphQLObjectType, build_schema, find_breaking_changes
from graphql.utilities import BreakingChange, BreakingChangeType

_REMOVED_AFTER = re.compile(r"removed after (\d{4}-\d\d-\d\d)", re.IGNORECASE)
_FIELD = re.compile(r"^Field (\w+)\.(\w+) was removed")


def breaking_changes(released_sdl: str, current_sdl: str, *, today: date) -> list[str]:
    """One sentence per change that breaks a client of ``released_sdl``.

    A field may go when it was released as deprecated with "removed after YYYY-MM-DD" and that
    day has passed.
    """
    released = build_schema(released_sdl)
    changes = find_breaking_changes(released, build_schema(current_sdl))

    def announced(change: BreakingChange) -> bool:
        named = _FIELD.match(change.description)
        if change.type is not BreakingChangeType.FIELD_REMOVED or named is None:
            return False
        owner = released.get_type(named[1])
        if not isinstance(owner, GraphQLObjectType):
            return False
        day = _REMOVED_AFTER.search(owner.fields[named[2]].deprecation_reason or "")
        return day is not None and date.fromisoformat(day[1]) < today

    return [change.description for change in changes if not announced(change)]
