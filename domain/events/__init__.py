"""Events read again: everything missed, then live, without a gap and without a double."""
