"""Make the typefaces that burned captions are set in: bold Noto Sans, without hints and rare characters.

    python scripts/subset_fonts.py FOLDER

FOLDER holds NotoSans-Bold.ttf, NotoSansArabic-Bold.ttf and so on, as in Debian's package fonts-noto-core
(/usr/share/fonts/truetype/noto), of whose version 20201225-1 the files of the repository were made. The
licence of the fonts is the SIL Open Font License 1.1, without reserved names.
"""

import sys
from pathlib import Path

from fontTools import subset

TARGET = Path(__file__).parent.parent / "src" / "avatalk" / "compose" / "typefaces"
# Together under 1 MB when compressed. Han, kana and Hangul would take 15 MB: see the model font-cjk.
SCRIPTS = """
    Arabic Armenian Bengali Cherokee Devanagari Ethiopic Georgian Gujarati Gurmukhi Hebrew Kannada Khmer Lao
    Malayalam Myanmar Oriya Sinhala Tamil Telugu Thaana Thai
"""
# Latin, Greek, Cyrillic, Vietnamese, phonetic letters, punctuation, currencies, arrows, mathematics.
COMMON = [*range(0x20, 0x530), *range(0x1E00, 0x2150), *range(0x2190, 0x2300), 0xFFFD]


def make(source: Path, target: Path, keep: list[int] | None = None) -> None:
    options = subset.Options(hinting=False, glyph_names=False, notdef_outline=True, recalc_timestamp=False)
    options.layout_features = ["*"] if keep is None else ["kern", "mark", "mkmk", "ccmp", "locl"]
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    font = subset.load_font(str(source), options)
    known = set(font.getBestCmap())
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=known if keep is None else known & set(keep))
    subsetter.subset(font)
    subset.save_font(font, str(target), options)
    print(f"{target.name}: {target.stat().st_size} bytes")


def main() -> None:
    folder = Path(sys.argv[1])
    make(folder / "NotoSans-Bold.ttf", TARGET / "NotoSans.ttf", COMMON)
    for script in SCRIPTS.split():
        make(folder / f"NotoSans{script}-Bold.ttf", TARGET / f"NotoSans{script}.ttf")


if __name__ == "__main__":
    main()
