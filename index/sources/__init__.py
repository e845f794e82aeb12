"""Read articles from files: a class for each format, and plug-ins (entry point group ``kabar.sources``).

Reading never stops at one bad article: what cannot be read comes out as a ``Problem`` in its place.
"""

from index.sources.files import find_files, read_file
from index.sources.registry import SUFFIXES
from index.sources.source import Origin, Problem, Source

__all__ = ["SUFFIXES", "Origin", "Problem", "Source", "find_files", "read_file"]
