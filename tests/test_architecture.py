"""Imports point one way, and importing avatalk does no work."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import avatalk

ROOT = Path(avatalk.__file__).parent
# Higher may import lower, never the other way round; stages don't import each other's engines.
LAYERS = [
    {"cli"},
    {"cli_studio"},
    {"cli_avatars", "cli_jobs", "cli_keys", "cli_models", "cli_service", "cli_voices"},
    {"commands"},
    {"studio"},
    {"service"},
    {"client"},
    {"catalogue", "console", "voicebook"},
    {"jobs"},
    {"pipeline", "voiceover"},
    {"scene"},
    {"stages"},
    {"spec"},
    {"request"},
    {"avatars", "compose", "faces", "lipsync", "speech", "video"},
    {"engines"},
    {"models"},
    {"media", "workspace"},
    {"logs", "settings", "events", "signature"},
    {"errors", "_version", "early", "lock"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
# The few places where one stage looks at another's types.
STAGE_LINKS = {
    ("lipsync", "speech"): "sound and phonemes drive the lips",
    ("speech", "lipsync"): "the aligner listens as the lips do",
    ("video", "speech"): "the sound is encoded",
    ("compose", "avatars"): "a background is a photograph or a clip",
    ("compose", "faces"): "networks of the same small kind run alike",
    ("avatars", "faces"): "a painted picture is looked at before it is used",
    ("lipsync", "avatars"): "the rig draws the artist's characters",
    ("compose", "speech"): "captions are made of words",
}
HEAVY = {
    "av",
    "cv2",
    "numpy",
    "pydantic",
    "PIL",
    "ai_edge_litert",
    "resvg_py",
    "rich",
    "espeakng_loader",
    "torch",
    "diffusers",
    "transformers",
    "uharfbuzz",
    "budoux",
    "dbos",
    "fsspec",
    "sqlalchemy",
    "fastapi",
    "gradio",
    "httpx",
    "uvicorn",
}


def imports(path):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body.clear()  # names for annotations load nothing
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            for alias in node.names:
                yield f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name


def room(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "avatalk" else None


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_downwards(path):
    here = path.relative_to(ROOT).with_suffix("").parts[0]
    if here == "__init__":
        return
    for module in imports(path):
        there = room(module)
        if there is None or there == here or there not in LEVEL:
            continue
        if LEVEL[there] == LEVEL[here]:
            assert (here, there) in STAGE_LINKS, f"{here} imports {there}"
        else:
            assert LEVEL[there] > LEVEL[here], f"{here} imports {there}, which stands above it"


def test_every_room_has_a_layer():
    rooms = {path.relative_to(ROOT).with_suffix("").parts[0] for path in ROOT.rglob("*.py")} - {"__init__"}
    assert rooms <= set(LEVEL)


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, avatalk; print(sorted(m for m in sys.modules if '.' not in m))"
    loaded = set(ast.literal_eval(subprocess.check_output([sys.executable, "-c", code], text=True)))
    assert not loaded & HEAVY


def test_the_command_line_starts_without_heavy_imports():
    code = "import sys, avatalk.cli; print(sorted(m for m in sys.modules if '.' not in m))"
    loaded = set(ast.literal_eval(subprocess.check_output([sys.executable, "-c", code], text=True)))
    assert not loaded & (HEAVY - {"rich"})


def test_the_public_names_are_there():
    for name in avatalk.__all__:
        assert getattr(avatalk, name) is not None
    with pytest.raises(AttributeError):
        avatalk.nonsense  # noqa: B018


DISTRIBUTIONS = {
    "ai_edge_litert": "ai-edge-litert",
    "cv2": "opencv-python-headless",
    "espeakng_loader": "espeakng-loader",
    "pi_heif": "pi-heif",
    "PIL": "pillow",
    "h11": "uvicorn",
    "prometheus_client": "prometheus-client",
    "resvg_py": "resvg-py",
    "python_multipart": "python-multipart",
    "starlette": "fastapi",
    "TTS": "coqui-tts",
    "unicode_rbnf": "unicode-rbnf",
}


def test_every_library_that_is_imported_is_declared():
    declared = (ROOT.parents[1] / "pyproject.toml").read_text()
    used = {module.split(".")[0] for path in ROOT.rglob("*.py") for module in imports(path)}
    for module in used - set(sys.stdlib_module_names) - {"avatalk", "tomllib"}:  # of Python 3.11
        assert f'"{DISTRIBUTIONS.get(module, module)}' in declared, f"{module} is not in pyproject.toml"
