"""Papers that need a library of somebody else's."""

from adapters.papers.pdf import PdfPaper

__all__ = ["PdfPaper"]
