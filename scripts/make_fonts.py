"""Make the fonts that PNG and PDF pictures are set in: parts of Liberation Sans and Mono 2.

The licence (SIL OFL 1.1) reserves the name Liberation, so a part of it gets a name of its own.
Needs fonttools. Usage: make_fonts.py FOLDER_OF_THE_LIBERATION_2_FONTS
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

HERE = Path(__file__).resolve().parents[1] / "graphmap" / "render" / "fonts"
PARTS = (
    ("LiberationSans-Regular", "Graphmap Sans", "Regular"),
    ("LiberationSans-Bold", "Graphmap Sans", "Bold"),
    ("LiberationMono-Regular", "Graphmap Mono", "Regular"),
)
# Latin, Greek, Cyrillic, punctuation, arrows, mathematics, and a box for all else.
CHARACTERS = (
    *range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x370, 0x400), *range(0x400, 0x460),
    *range(0x2010, 0x2028), *range(0x2030, 0x203B), *range(0x2190, 0x2196),
    *range(0x2200, 0x2266), 0x25A1, 0x25CF,
)  # fmt: skip
NAMES = {1: "{family}", 2: "{style}", 4: "{family} {style}", 6: "{plain}-{style}"}


def make(folder: Path) -> None:
    """Write one file for each part."""
    HERE.mkdir(exist_ok=True)
    for source, family, style in PARTS:
        options = subset.Options(layout_features=[], hinting=False, notdef_outline=True)
        options.name_IDs = [0, 1, 2, 4, 5, 6, 13, 14]
        options.recalc_timestamp = False
        font = TTFont(folder / f"{source}.ttf", recalcTimestamp=False)
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=CHARACTERS)
        cutter.subset(font)
        for record in font["name"].names:
            text = NAMES.get(record.nameID)
            if text is not None:
                plain = family.replace(" ", "")
                record.string = text.format(family=family, style=style, plain=plain)
        font.save(HERE / f"{family.replace(' ', '')}-{style}.ttf")


if __name__ == "__main__":
    make(Path(sys.argv[1]))
