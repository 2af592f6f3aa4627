import json
import re
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient

import avatalk.studio
from avatalk import catalogue, engines
from avatalk.avatars import gallery
from avatalk.errors import AvatalkError
from avatalk.service.app import create_app
from avatalk.studio.app import VISITOR, mount
from avatalk.studio.page import LANGUAGES, PARTS, part, strings

HOME = Path(avatalk.studio.__file__).parent
SOURCES = [*(HOME / "web").glob("*.html"), *(HOME / "web").glob("*.js")]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVATALK_DATA", str(tmp_path_factory.mktemp("studio")))
        app = create_app()
        mount(app)
        with TestClient(app, base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50000)) as client:
            yield client


def test_the_page_is_there_with_all_its_parts(client):
    page = client.get("/")
    assert page.status_code == 200
    config = json.loads(re.search(r"window.gradio_config = (\{.*?\});</script>", page.text)[1])
    shown = json.dumps(config["components"])
    assert all(f'"part-{name}"' in shown for name in PARTS)
    assert "Generate video" in shown
    assert config["analytics_enabled"] is False
    assert not re.search(r'(?:src|href)=\\?"https?://', shown)


def test_everything_that_the_page_loads_is_there(client):
    for path in (
        "studio/web/main.js",
        "studio/web/style.css",
        "theme.css",
        *(f"studio/strings/{one}.json" for one in LANGUAGES),
    ):
        assert client.get(f"/{path}").status_code == 200, path


def test_a_browser_gets_an_owner_of_its_own_once(client):
    with TestClient(client.app, base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50000)) as browser:
        first = browser.get("/")
        assert "HttpOnly" in first.headers["set-cookie"]
        assert "SameSite=Strict" in first.headers["set-cookie"]
        mine = browser.cookies[VISITOR]
        assert "set-cookie" not in browser.get("/").headers
        assert browser.cookies[VISITOR] == mine


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/upload"),
        ("POST", "/gradio_api/queue/join"),
        ("GET", "/gradio_api/file=/etc/hostname"),
        ("GET", "/gradio_api/proxy=https://example.org"),
        ("GET", "/monitoring"),
        ("POST", "/gradio_api/run/predict"),
    ],
)
def test_gradio_has_no_other_way_in(client, method, path):
    answer = client.request(method, path)
    assert answer.status_code in (404, 405)
    assert answer.json()["error"]["code"]


def test_the_api_keeps_its_answers(client):
    assert client.get("/ping").json() == {"pong": "-"}
    assert client.get("/v1/nothing").json()["error"]["code"] == "not_found"
    assert client.put("/v1/videos").json()["error"]["code"] == "method_not_allowed"
    assert not any(path.startswith("/studio") for path in client.get("/openapi.json").json()["paths"])


def test_a_heartbeat_holds_no_connection(client):
    assert client.get("/gradio_api/heartbeat/abc").status_code == 204


def test_files_of_others_are_not_shown(client):
    for path in ("faces", "pictures"):
        assert client.get(f"/studio/{path}/asset_{'0' * 32}").status_code == 404


def test_all_languages_say_the_same():
    first, *others = (strings(language) for language in LANGUAGES)
    for other in others:
        assert set(other) == set(first)
        for key, text in first.items():
            assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", other[key])), key


def test_every_string_that_is_used_is_there():
    used = set()
    for source in SOURCES:
        text = source.read_text()
        used |= set(re.findall(r'data-t(?:-\w+)?="([\w.]+)"', text)) | set(
            re.findall(r"\bt\('([\w.]+)'[,)]", text)
        )
    assert len(used) > 100
    assert used <= set(strings("en"))


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_whole_without_scripts(name):
    filled = part(name)
    assert not re.search(r'data-t="[\w.]+"[^>]*></', filled)
    ids = re.findall(r'\bid="([^"]+)"', "".join(part(one) for one in PARTS))
    assert len(ids) == len(set(ids))
    for target in re.findall(r'\b(?:for|aria-controls|aria-labelledby|aria-describedby)="([^"]+)"', filled):
        assert set(target.split()) <= set(ids)


def test_all_models_and_engines_of_lips_have_words_of_the_page():
    words = strings("en")
    kinds = {row["name"].split(":")[0] for row in catalogue.model_rows()} | {"piper", "diffusion"}
    assert {f"{what}.{kind}" for what in ("model", "model_title") for kind in kinds} <= set(words)
    for engine in engines.ENGINES:
        if engine.stage == "lipsync":
            about = {f"engine_about.{engine.name}.{kind}" for kind in engine.takes}
            assert {f"engine_name.{engine.name}"} | about <= set(words)


def test_all_kinds_of_errors_that_the_page_can_meet_have_words():
    kinds = [AvatalkError]
    for kind in kinds:  # grows while it is gone through
        kinds.extend(kind.__subclasses__())
    met = {kind.code for kind in kinds} - {"error", "cancelled", "unreachable"}
    assert {f"code.{code}" for code in met} <= set(strings("en"))


def test_everybody_in_the_gallery_has_pictures_and_words():
    for entry in gallery.entries():
        assert strings("en")[f"person.{entry.name}"] == entry.description
        for name in (entry.name, f"{entry.name}-wide"):
            with Image.open(HOME / "web" / "faces" / f"{name}.webp") as image:
                image.load()
