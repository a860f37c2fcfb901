"""Fan-out: what many ask for is executed once, encoded once, and written to each without waiting.

::

    sharing.py    Sharing: what sockets and event streams ask first
    plan.py       a document and its variables -> a Plan: which groups answer it
    groups.py     Groups: one execution per group, its values to all members
    sink.py       what a member is given (Encoded) and what it must be (Sink)
    lanes.py      Lane: a member that keeps by the field's delivery what cannot go out yet
    mailbox.py    Mailbox: a member whose values are fetched (SSE)
    outbox.py     Outbox: all lanes of one connection, one write per tick
    flusher.py    Flusher: when outboxes are let out
    wires.py      Wire: the way out, direct or ASGI
    protocol.py   uvicorn's protocol with direct writes
    pace.py       Pace: storms of new sockets, admitted evenly
"""
