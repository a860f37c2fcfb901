"""Where in the journal a moment is, in SQL: a statement of dates begins and ends there.

A command's time is taken before it waits for its turn, so that times and positions are in another
order by a minute at most. Whoever narrows by these asks for the time itself, too.
"""

NOT_BEFORE = "wallets.position_at(CAST(:since AS timestamptz) - interval '1 minute')"
"""The first position that can be of ``:since`` or later."""
BEFORE = "wallets.position_at(CAST(:until AS timestamptz) + interval '1 minute')"
"""The first position after all that can be of ``:until`` or earlier."""
