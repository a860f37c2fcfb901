"""Files on a folder of this host, each sealed with the data key of whom it is about.

One folder serves one host: a file is read where it was written. Processes of several hosts need
the same folder mounted, or a storage of another kind.
"""

from adapters.files.local import LocalFolder
from adapters.files.sealed import DataKeys, SealedFiles

__all__ = ["DataKeys", "LocalFolder", "SealedFiles"]
