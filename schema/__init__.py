"""What clients see: types, inputs, unions. Reads like the SDL; no rules, no I/O."""

from schema.authorization import print_authorization
from schema.root import build_schema, print_sdl

__all__ = ["build_schema", "print_authorization", "print_sdl"]
