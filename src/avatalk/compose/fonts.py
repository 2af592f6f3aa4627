"""Which typeface writes which character of a burned caption.

First come those of avatalk itself, so that a caption looks the same on every machine, then the model
``font-cjk``, then the fonts of the system.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from avatalk import models
from avatalk.compose.lettering import Typeface, characters_of, faces_in
from avatalk.compose.phrases import clusters
from avatalk.errors import CannotRun, EngineUnavailable
from avatalk.events import Monitor
from avatalk.models.manifest import CJK
from avatalk.speech.scripts import script_of

_OWN = Path(__file__).parent / "typefaces"
_CJK_MODEL = "font-cjk"
_CJK_SCRIPTS = frozenset({"Han", "Hiragana", "Katakana", "Bopomofo", "Hangul"})
_CJK_FACES = {"ja": 0, "ko": 1, "zh": 2, "tw": 3, "hk": 4}  # faces of the collection of Noto Sans CJK
# Fonts whose letters are placeholders, or colour pictures without an outline; and those that suit less.
_NEVER = ("lastresort", "emoji", "blank", "notdef", "fallback-boxes", "symbol", "wingding", "webding")
_RATHER_NOT = ("mono", "italic", "oblique", "serif", "light", "thin", "condensed", "black", "hairline")
_RATHER = ("bold", "sans", "noto", "pingfang", "hiragino", "yahei", "msyh", "yugoth", "malgun", "nirmala")


@dataclass(frozen=True, slots=True)
class Fonts:
    """The typefaces for one text.

    Attributes:
        faces: in the order in which they are asked for a character.
        language: BCP-47, or empty.
        missing: characters that none of them has, and which are left out.
    """

    faces: tuple[Typeface, ...]
    language: str
    missing: frozenset[str] = frozenset()

    def of(self, cluster: str) -> Typeface:
        """Return the first typeface that has a character and its marks, that of its script before all."""
        own = _own(script_of(cluster[0]))
        faces = self.faces if own is None else (own, *self.faces)
        whole = (face for face in faces if face.covers(cluster))
        letter = (face for face in faces if face.covers(cluster[0]))
        return next(whole, None) or next(letter, faces[0])

    def written(self, text: str) -> str:
        """`text` without what cannot be written."""
        if not self.missing.intersection(text):
            return text
        kept = (cluster for cluster in clusters(text) if cluster[0] not in self.missing)
        return " ".join("".join(char for char in "".join(kept) if char not in self.missing).split())


def find_fonts(text: str, language: str, monitor: Monitor) -> Fonts:
    """Find typefaces for everything in `text`.

    Args:
        text: all captions.
        language: BCP-47, or empty; decides between forms of Chinese characters.
        monitor: told of a font that is fetched, and warned of signs that are left out.

    Raises:
        EngineUnavailable: letters are in it that no font here has; the hint says how to get one.
    """
    chars = frozenset(char for char in text if char.isprintable() and not char.isspace())
    scripts = {script_of(char) for char in chars}
    faces = [_latin(), *filter(None, map(_own, sorted(scripts)))]
    lacking = _lacking(chars, faces)
    if lacking and models.installed(_CJK_MODEL):
        face = _cjk_face(models.folder(_CJK_MODEL) / CJK, language, scripts)
        if lacking & set(map(chr, characters_of(face))):
            faces.append(face)
            lacking = _lacking(lacking, faces)
    if any(map(_needed, lacking)):
        faces += _of_system(lacking, language, scripts)
        lacking = _lacking(lacking, faces)
    letters = sorted(filter(_needed, lacking))
    if letters and any(script_of(char) in _CJK_SCRIPTS for char in letters):
        faces.append(_cjk_face(_fetched_cjk(letters, monitor), language, scripts))
        lacking = _lacking(lacking, faces)
        letters = sorted(filter(_needed, lacking))
    if letters:
        raise _no_font(letters)
    if lacking:
        shown = " ".join(sorted(lacking)[:20])
        monitor.warn(f"The font of the burned captions does not have {shown}: left out there.")
    return Fonts(tuple(dict.fromkeys(faces)), language, lacking)


@cache
def _latin() -> Typeface:
    return Typeface(_OWN / "NotoSans.ttf")


@cache
def _own(script: str) -> Typeface | None:
    path = _OWN / f"NotoSans{script}.ttf"
    return Typeface(path) if script and path.is_file() else None


def _lacking(chars: Iterable[str], faces: Iterable[Typeface]) -> frozenset[str]:
    known = [characters_of(face) for face in faces]
    return frozenset(char for char in chars if not any(ord(char) in one for one in known))


def _needed(char: str) -> bool:
    """Whether a caption without `char` would be wrong: letters, marks and digits, not ornaments."""
    return char.isalnum() or script_of(char) != ""


def _no_font(letters: list[str], why: str = "") -> EngineUnavailable:
    scripts = sorted({script_of(char) or "?" for char in letters})
    name = " and ".join(script for script in scripts if script != "?") or "these"
    return EngineUnavailable(
        f"No font here has the {name} letters of the captions, such as {letters[0]}{why}.",
        hint=f"Run `avatalk models install {_CJK_MODEL}`, or leave burn out of --captions."
        if set(scripts) & _CJK_SCRIPTS
        else f"Put a font for {name} (https://fonts.google.com/noto has one) into {_folders()[0]},"
        " or leave burn out of --captions.",
        stage="compose",
        field="captions",
    )


# --- Chinese, Japanese, Korean ---------------------------------------------------------------------


def _cjk_face(path: Path, language: str, scripts: Iterable[str]) -> Typeface:
    """The face of the collection that writes Chinese characters as readers of the language expect."""
    parts = language.lower().replace("hant", "tw").split("-")
    if parts[0] == "yue":
        return Typeface(path, _CJK_FACES["hk"])
    for part in reversed(parts):
        if part in _CJK_FACES and len(parts[0]) <= 3:
            return Typeface(path, _CJK_FACES[part])
    kana = {"Hiragana", "Katakana"} & set(scripts)
    return Typeface(path, _CJK_FACES["ja" if kana else "ko" if "Hangul" in scripts else "zh"])


def _fetched_cjk(letters: list[str], monitor: Monitor) -> Path:
    try:
        return models.path(_CJK_MODEL, CJK, monitor)
    except CannotRun as error:
        if error.code == "cancelled":
            raise
        raise _no_font(letters, f", and none could be fetched ({error.message.rstrip('.')})") from error


# --- fonts of the system ---------------------------------------------------------------------------


def _folders() -> list[Path]:
    """Folders with fonts, the user's own first."""
    home = Path.home()
    if sys.platform == "win32":
        local = Path(os.environ.get("LOCALAPPDATA", home / "AppData/Local"))
        return [local / "Microsoft/Windows/Fonts", Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts"]
    if sys.platform == "darwin":
        return [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    return [data / "fonts", home / ".fonts", Path("/usr/local/share/fonts"), Path("/usr/share/fonts")]


def _of_system(chars: frozenset[str], language: str, scripts: Iterable[str]) -> Iterator[Typeface]:
    """Yield fonts of the system, the fittest first, until every character that one of them has is had."""
    wanted = {char for char in chars if _needed(char)}
    for path in _ranked():
        if not wanted:
            return
        if path.name.startswith("NotoSansCJK") and path.suffix == ".ttc":
            candidates = [_cjk_face(path, language, scripts)]
        else:
            candidates = [Typeface(path, index) for index in range(faces_in(path))]
        for face in candidates:
            has = {char for char in wanted if face.covers(char)}
            if has:
                yield face
                wanted -= has


@cache
def _ranked() -> tuple[Path, ...]:
    found = []
    for nearness, folder in enumerate(_folders()):
        for parent, _, names in os.walk(folder):
            for name in names:
                low = name.lower()
                if low.endswith((".ttf", ".otf", ".ttc", ".otc")) and not any(bad in low for bad in _NEVER):
                    rank = 2 * sum(bad in low for bad in _RATHER_NOT) - sum(good in low for good in _RATHER)
                    found.append((nearness > 1, rank, name, Path(parent) / name))
    return tuple(path for *_, path in sorted(found))
