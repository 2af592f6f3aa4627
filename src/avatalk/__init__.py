"""avatalk: a face and some words become a talking video."""

from avatalk._version import __version__

__all__ = ["__version__"]
