"""What ``./dev bench ledger`` is made of: pgbench, writers, and books of a million lines."""
