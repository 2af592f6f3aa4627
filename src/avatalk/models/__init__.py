"""The weights that engines need: what they are, where they come from, where they lie on this machine."""

from avatalk.models.manifest import MODELS, Model, ModelFile
from avatalk.models.store import folder, install, installed, list_models, path, remove, verify

__all__ = [
    "MODELS",
    "Model",
    "ModelFile",
    "folder",
    "install",
    "installed",
    "list_models",
    "path",
    "remove",
    "verify",
]
