"""What the benches stand on: processes, their accounts, a crowd of clients, rounds and reports."""
