"""Settings: a variable over the file over the default, and what is wrong is named."""

import json

import pytest
from typer.testing import CliRunner

from avatalk import settings
from avatalk.cli import app as cli
from avatalk.errors import BadInput


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Write a file of settings."""
    path = tmp_path / "avatalk.toml"
    monkeypatch.setenv("AVATALK_CONFIG", str(path))
    for setting in settings.SETTINGS:
        monkeypatch.delenv(setting.variable, raising=False)

    def write(text):
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_variable_wins_over_the_file_and_the_file_over_the_default(file, monkeypatch):
    assert (settings.number("port"), settings.source("port")) == (8000, "default")
    file('port = 9000\noffline = true\ncors_origins = ["https://a.example", "https://b.example"]\n')
    assert (settings.number("port"), settings.source("port")) == (9000, "file")
    assert settings.offline() and settings.listed("cors_origins") == [
        "https://a.example",
        "https://b.example",
    ]
    monkeypatch.setenv("AVATALK_PORT", " 9001 ")
    monkeypatch.setenv("AVATALK_OFFLINE", "off")
    assert (settings.number("port"), settings.source("port")) == (9001, "variable")
    assert not settings.offline()


def test_a_changed_file_is_read_again(file):
    path = file("port = 1\n")
    assert settings.number("port") == 1
    before = path.stat().st_mtime_ns
    while path.stat().st_mtime_ns == before:
        file("port = 2\n")
    assert settings.number("port") == 2


@pytest.mark.parametrize(
    ("text", "field"),
    [('prot = "x"\n', "prot"), ("port = \n", "config"), ('port = "many"\n', "port"), ("port = -1\n", "port")],
)
def test_what_is_wrong_in_the_file_is_named(file, text, field):
    path = file(text)
    with pytest.raises(BadInput) as caught:
        settings.number("port")
    assert caught.value.field == field and str(path) in str(caught.value)
    assert "Traceback" not in CliRunner().invoke(cli, ["settings"]).output


@pytest.mark.parametrize("value", ["many", "-1", "inf", "nan"])
def test_a_number_that_is_none_is_named(file, monkeypatch, value):
    monkeypatch.setenv("AVATALK_MAX_TEXT", value)
    with pytest.raises(BadInput) as caught:
        settings.number("max_text")
    assert "AVATALK_MAX_TEXT" in caught.value.hint and value in caught.value.message


def test_the_list_has_all_and_no_secret(file, monkeypatch):
    file('port = 9000\ndatabase_url = "postgresql://me:hidden@db/x"\n')
    told = CliRunner().invoke(cli, ["settings", "--json"])
    rows = {row["name"]: row for row in json.loads(told.stdout)}
    assert list(rows) == [setting.name for setting in settings.SETTINGS]
    assert (rows["port"]["value"], rows["port"]["from"]) == ("9000", "file")
    assert rows["database_url"]["value"] and rows["database_url"]["from"] == "file"
    assert "hidden" not in told.output and "hidden" not in CliRunner().invoke(cli, ["settings"]).output
    assert all(row["about"] and row["variable"] == f"AVATALK_{name.upper()}" for name, row in rows.items())
