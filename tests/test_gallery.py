"""The gallery: who is in it, and that everyone can be drawn, at any size, unlike anyone else."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from typing import get_args

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatalk.avatars import gallery
from avatalk.avatars.artist import Character, FaceShape, Skin
from avatalk.avatars.artist.character import Beard, Clothes, Glasses, HairStyle
from avatalk.errors import UnknownName


def test_who_is_in_it():
    people = [gallery.get(name) for name in gallery.names()]
    assert "ada" in gallery.names()
    assert len(set(gallery.names())) == len(people) >= 8
    assert {p.sex for p in people} == {"female", "male"}
    assert min(p.age for p in people) < 30
    assert max(p.age for p in people) >= 70
    assert max(p.skin.tone for p in people) - min(p.skin.tone for p in people) > 0.8
    assert len({p.hair for p in people}) >= 8


def test_entries_describe_everyone():
    assert tuple(e.name for e in gallery.entries()) == gallery.names()
    for entry in gallery.entries():
        assert entry.licence == "CC0-1.0"
        assert "\n" not in entry.description
        assert 10 < len(entry.description) < 100


def test_get_in_any_case():
    assert gallery.get(" Ada ") is gallery.get("ada")


def test_an_unknown_name_names_the_nearest():
    with pytest.raises(UnknownName) as caught:
        gallery.get("emekka")
    assert "emeka" in caught.value.hint
    assert (caught.value.stage, caught.value.field) == ("avatar", "avatar")


def test_listing_loads_no_heavy_library():
    code = "import sys; from avatalk.avatars import gallery; gallery.entries(); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"cv2", "resvg_py", "numpy", "av"} & set(loaded)


@pytest.mark.parametrize("size", [(160, 90), (90, 160), (64, 64), (501, 333)])
def test_any_size(size):
    picture = gallery.get("ada").picture(*size)
    assert picture.shape == (size[1], size[0], 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 20


def test_full_hd_has_headroom_and_a_large_face():
    alpha = gallery.get("ada").cutout(1920, 1080)[..., 3]
    rows = np.flatnonzero(alpha.max(axis=1) > 128)
    assert 0.04 < rows[0] / 1080 < 0.2
    assert rows[-1] == 1079
    head = alpha[rows[0] : rows[0] + 300]
    width = np.flatnonzero(head.max(axis=0) > 128)
    assert 0.3 < (width[-1] - width[0]) / 1080 < 0.6
    assert abs((width[-1] + width[0]) / 2 - 960) < 40


def test_same_bytes_twice():
    assert np.array_equal(gallery.get("zuri").picture(200, 150), gallery.get("zuri").picture(200, 150))


def test_nobody_looks_like_another():
    plain = {n: replace(gallery.get(n), backdrop=("#808080", "#808080")) for n in gallery.names()}
    heads = {n: c.picture(192, 144)[10:120, 50:142].astype(float) for n, c in plain.items()}
    for a, b in combinations(heads, 2):
        assert np.abs(heads[a] - heads[b]).mean() > 8, (a, b)


@pytest.mark.parametrize("name", gallery.names())
def test_cutout_is_the_picture_without_its_backdrop(name):
    character = replace(gallery.get(name), backdrop=("#204060", "#204060"))
    cut = character.cutout(320, 180)
    alpha = cut[..., 3:] / 255
    again = cut[..., :3] * alpha + np.array([0x20, 0x40, 0x60]) * (1 - alpha)
    assert np.abs(again - character.picture(320, 180)).max() < 4
    assert cut[2, 2, 3] == 0
    assert cut[2, -3, 3] == 0
    face = cv2.ellipse(np.zeros((180, 320), np.uint8), (160, 80), (26, 40), 0, 0, 360, 1, -1)
    assert cut[..., 3][face > 0].min() == 255


_COLOURS = st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06x}")


@settings(max_examples=15, deadline=None)
@given(
    hair=st.sampled_from(get_args(HairStyle)),
    beard=st.sampled_from(get_args(Beard)),
    glasses=st.sampled_from(get_args(Glasses)),
    clothes=st.sampled_from(get_args(Clothes)),
    sex=st.sampled_from(["female", "male"]),
    age=st.integers(18, 90),
    tone=st.floats(0, 1),
    shape=st.builds(FaceShape, width=st.floats(0.9, 1.1), chin=st.floats(0.9, 1.1), jaw=st.floats(0, 1)),
    colour=_COLOURS,
)
def test_options_combine_freely(hair, beard, glasses, clothes, sex, age, tone, shape, colour):
    character = Character(
        "x", "x", age=age, sex=sex, face=shape, skin=Skin(tone), hair=hair, beard=beard, glasses=glasses,
        clothes=clothes, colour=colour, hair_colour=colour, earrings=colour,
    )  # fmt: skip
    cut = character.cutout(128, 96)
    assert cut[34:62, 54:74, 3].min() == 255


@pytest.mark.parametrize(
    ("option", "values"), [("hair", get_args(HairStyle)), ("clothes", get_args(Clothes))]
)
def test_every_option_changes_the_picture(option, values):
    pictures = [replace(gallery.get("ada"), **{option: value}).picture(128, 96) for value in values]
    for a, b in combinations(pictures, 2):
        assert not np.array_equal(a, b)
