"""What keeps one sick dependency from making everything sick: deadlines, retries, breakers."""

from adapters.resilience.deadline import deadline

__all__ = ["deadline"]
