"""Viseme curves from timed phonemes: contacts are made, vowels keep their order, silence rests."""

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatalk.lipsync.visemes import SOUNDS, contacts_of, from_phonemes, sounds_of, touching
from avatalk.media import VISEME_CHANNELS, Phoneme

OPEN, CLOSED, WIDE, ROUND, TEETH, TONGUE = range(len(VISEME_CHANNELS))
SYMBOLS = json.loads((Path(__file__).parent / "data" / "visemes_symbols.json").read_text("utf-8"))


def said(*symbols: str, each: float = 0.1, begin: float = 0.5) -> list[Phoneme]:
    return [Phoneme(s, begin + i * each, begin + (i + 1) * each, True) for i, s in enumerate(symbols)]


def held(symbol: str) -> np.ndarray:
    """The row in the middle of a sound held for half a second."""
    return from_phonemes([Phoneme(symbol, 1.0, 1.5, True)], 100, 250).values[125]


@given(
    fps=st.floats(12, 120),
    lead=st.floats(0.0, 1.0),
    spoken=st.lists(
        st.tuples(st.sampled_from(list("pbmaiuefsk")), st.floats(0.005, 0.25)), min_size=1, max_size=12
    ),
)
@settings(max_examples=150, deadline=None)
def test_every_bilabial_closes_the_lips_at_any_rate(fps, lead, spoken):
    phonemes, now = [], lead
    for symbol, length in spoken:
        phonemes.append(Phoneme(symbol, now, now + length))
        now += length
    values = from_phonemes(phonemes, fps, int(now * fps) + 2).values
    assert values.dtype == np.float32
    assert values.min() >= 0.0
    assert values.max() <= 1.0
    for p in phonemes:
        first, last = (
            int(p.start_s * fps),
            int(np.ceil(max(p.end_s, p.start_s + 0.03) * fps)),
        )
        rows = values[first : last + 1]
        if p.symbol in "pbm":
            at = rows[:, CLOSED].argmax()
            assert rows[at, CLOSED] >= 0.95
            assert rows[at, OPEN] <= 0.05
    assert (values[:, OPEN] <= 1.0 - values[:, CLOSED] + 1e-6).all()


@pytest.mark.parametrize("order", ["aɛeiu", "ɑɔou", "aəɨ"])
def test_lower_vowels_open_wider(order):
    openings = [held(v)[OPEN] for v in order]
    assert openings == sorted(openings, reverse=True)
    assert min(-np.diff(openings)) > 0.05


def test_lip_shapes_of_vowels_and_labiodentals():
    assert held("a")[OPEN] > 0.95
    assert held("i")[WIDE] > 0.8 > 0.1 > held("i")[ROUND]
    assert held("u")[ROUND] > 0.8 > 0.1 > held("u")[WIDE]
    assert held("θ")[TONGUE] > 0.95
    for symbol in "fv":
        row = from_phonemes(said("a", symbol, "a"), 50, 80).values[31:35]
        assert row[:, TEETH].max() > 0.95
        assert 0.0 < row[row[:, TEETH].argmax(), OPEN] < 0.15
        assert row[:, CLOSED].max() == 0.0


def test_rounding_spreads_to_the_sounds_before_it():
    ahead = from_phonemes(said("s", "t", "u", each=0.08), 100, 100).values
    plain = from_phonemes(said("s", "t", "i", each=0.08), 100, 100).values
    assert ahead[60, ROUND] > 0.3 > 0.05 > plain[60, ROUND]  # in the t, 60 ms before the vowel
    assert ahead[80:, ROUND].max() < 0.9  # no sound lasts long after it


def test_diphthong_moves_from_its_first_vowel_to_its_second():
    rows = from_phonemes([Phoneme("aɪ", 1.0, 1.3, True)], 100, 200).values
    assert rows[106, OPEN] - rows[126, OPEN] > 0.35
    assert rows[126, WIDE] - rows[106, WIDE] > 0.1


def test_silence_is_exactly_at_rest():
    phonemes = [*said("m", "a", "t"), Phoneme("", 0.8, 2.0), *said("u", "f", begin=2.0)]
    time = np.arange(400) / 100
    values = from_phonemes(phonemes, 100, 400).values
    quiet = (time < 0.3) | ((time > 1.01) & (time < 1.79)) | (time > 2.41)
    assert not values[quiet].any()
    assert values[~quiet].any(axis=1).mean() > 0.8
    for nothing in ([], [Phoneme("", 0.0, 3.0)], [Phoneme("(en)", 0.0, 0.5)]):
        assert not from_phonemes(nothing, 25, 40).values.any()


def test_movement_is_smooth():
    values = from_phonemes(said(*"hɛloʊmabəlfaðɚpʌp", each=0.07), 120, 250).values
    speed = np.abs(np.diff(values, axis=0)).max(axis=0) * 120
    assert speed[[WIDE, ROUND]].max() < 10  # parameter's full range per second
    assert speed.max() < 30


def test_length_of_speech_does_not_change_the_rows():
    phonemes = said(*(["m", "a", "f", "i", "s", "u"] * 60), each=0.09)
    whole = from_phonemes(phonemes, 25, 900).values
    assert whole.shape == (900, 6)
    np.testing.assert_allclose(from_phonemes(phonemes, 25, 300).values, whole[:300], atol=1e-6)


def test_contacts_alone_make_the_same_curves():
    phonemes = said(*(["m", "a", "f", "i", "s", "p", "u", "v"] * 60), each=0.09)
    values = from_phonemes(phonemes, 25, 1500).values
    closed, teeth = (touching(*times, 25, 1500) for times in contacts_of(phonemes))
    np.testing.assert_allclose(closed, values[:, CLOSED], atol=1e-6)
    np.testing.assert_allclose(teeth * (1 - closed), values[:, TEETH], atol=1e-6)


def test_every_symbol_that_espeak_emits_is_understood():
    """The file holds what espeak-ng 1.52 emits in its 141 voices for pseudo-words in 13 scripts."""
    for symbol in SYMBOLS:
        letters = [
            c for c in unicodedata.normalize("NFD", symbol) if unicodedata.category(c) in ("Ll", "Lu", "Lo")
        ]
        known = [c for c in letters if c in SOUNDS or unicodedata.normalize("NFC", c) in SOUNDS]
        assert letters == known, symbol
        assert bool(sounds_of(symbol)) == bool(letters), symbol


@pytest.mark.parametrize(
    ("symbol", "count"),
    [
        ("t͡ʃʰ", 2),
        ("ẽ", 1),
        ("ç", 1),
        ("ɔː", 1),
        ("aɪ", 2),
        ("˥", 0),
        ("(en)", 0),
        ("", 0),
        ("n̩", 1),
        ("ɯᵝ", 1),
        ("Ω", 1),
    ],
)
def test_symbols_split_into_sounds(symbol, count):
    assert len(sounds_of(symbol)) == count
