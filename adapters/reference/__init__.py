"""The API's reference as Markdown, generated from the SDL and from what app.py knows beside it."""

from adapters.reference.errors import MEANINGS, NoMeaning
from adapters.reference.examples import Example, NoExample, all_operations, example_of
from adapters.reference.files import reference_files
from adapters.reference.links import Known
from adapters.reference.meaning import Meaning

__all__ = [
    "MEANINGS",
    "Example",
    "Known",
    "Meaning",
    "NoExample",
    "NoMeaning",
    "all_operations",
    "example_of",
    "reference_files",
]
