"""Colours, fonts and sizes of pictures.

The palette keeps its colours apart for the three usual kinds of colour blindness by simulation
(least difference 17.5 on light, 18.6 on dark); text always says the role too.
"""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

TITLE_SIZE: Final = 12.5
TEXT_SIZE: Final = 11.0
MONO_SIZE: Final = 10.0
HEADING_SIZE: Final = 19.0

LIGHT: Final = {
    "input": "#009e73", "layer": "#1f5fa8", "op": "#a3abb3", "loss": "#b83d00",
    "output": "#aa3377", "training": "#c08a00",
    "matched": "#1f5fa8", "ambiguous": "#c08a00", "unmatched": "#b83d00", "unused": "#1b1f24",
    "dropped": "#b83d00", "added": "#009e73", "changed": "#aa3377", "renamed": "#1f5fa8",
    "same": "#a3abb3",
    "background": "#fff", "card": "#fff", "text": "#1b1f24", "muted": "#57606a",
    "edge": "#6e7781", "frame": "#f3f5f8", "frame2": "#e9edf2", "border": "#c3cad3",
    "times": "#5b4bb3",
}  # fmt: skip
DARK: Final = {
    "input": "#2bbf97", "layer": "#3f8ae0", "op": "#6b737d", "loss": "#ff7043",
    "output": "#f2b8dc", "training": "#f0b429",
    "matched": "#3f8ae0", "ambiguous": "#f0b429", "unmatched": "#ff7043", "unused": "#e6edf3",
    "dropped": "#ff7043", "added": "#2bbf97", "changed": "#f2b8dc", "renamed": "#3f8ae0",
    "same": "#6b737d",
    "background": "#0d1117", "card": "#161b22", "text": "#e6edf3", "muted": "#9aa4af",
    "edge": "#8b949e", "frame": "#11161d", "frame2": "#1a212b", "border": "#3d444d",
    "times": "#a99cf5",
}  # fmt: skip

KIND_WORDS: Final = {
    "input": "input", "layer": "layer with weights", "op": "other ops", "loss": "loss",
    "output": "output", "training": "training",
    "matched": "matched", "ambiguous": "ambiguous", "unmatched": "unmatched",
    "unused": "not asked for",
    "dropped": "dropped", "added": "added", "changed": "changed", "renamed": "renamed",
    "same": "the same",
}  # fmt: skip

TEXT_FONTS: Final = 'Arial,"Liberation Sans",Helvetica,"Segoe UI",sans-serif'
MONO_FONTS: Final = '"DejaVu Sans Mono","Liberation Mono",Menlo,Consolas,monospace'


class Style(NamedTuple):
    """What the classes of an SVG element mean. fill, stroke: a colour, None for none."""

    fill: str | None = None
    stroke: str | None = None
    width: float = 1.0
    dash: tuple[float, ...] = ()
    font: Literal["plain", "bold", "mono"] = "plain"
    size: float = TEXT_SIZE
    anchor: Literal["start", "middle", "end"] = "start"


def style_of(classes: str) -> Style:
    """Return the light look of an element by its classes, for formats without style sheets."""
    style = Style(fill=LIGHT["text"])
    for word in classes.split():
        rules = _STYLES.get(word)
        if rules is not None:
            style = style._replace(**rules)
        elif word.startswith("k-"):
            style = style._replace(fill=LIGHT[word.removeprefix("k-")])
    return style


# The style sheet below, read by `style_of`; a test compares the two.
_STYLES: Final[dict[str, dict[str, Any]]] = {
    "t": {"font": "bold", "size": TITLE_SIZE},
    "h1": {"font": "bold", "size": HEADING_SIZE},
    "s": {"fill": LIGHT["muted"]},
    "p": {"fill": LIGHT["muted"], "font": "mono", "size": MONO_SIZE},
    "bg": {"fill": LIGHT["background"]},
    "c": {"fill": LIGHT["card"], "stroke": LIGHT["edge"]},
    "f": {"fill": LIGHT["frame"], "stroke": LIGHT["border"]},
    "f2": {"fill": LIGHT["frame2"], "stroke": LIGHT["border"]},
    "hd": {"fill": LIGHT["frame2"]},
    "e": {"fill": None, "stroke": LIGHT["edge"], "width": 1.4},
    "tr": {"stroke": LIGHT["training"], "dash": (5.0, 4.0)},
    "cf": {"dash": (6.0, 3.0)},
    "ar": {"fill": LIGHT["edge"]},
    "rp": {"fill": LIGHT["times"]},
    "rt": {"fill": LIGHT["background"], "font": "bold", "size": MONO_SIZE},
    "sep": {"fill": None, "stroke": LIGHT["border"], "width": 0.7},
    "fr": {"stroke": LIGHT["times"], "width": 1.5},
    "bare": {"stroke": None},
    "end": {"anchor": "end"},
    "mid": {"anchor": "middle"},
}

_FIXED = (
    f"text{{font:{TEXT_SIZE:g}px {TEXT_FONTS}}}"
    f".t{{font-weight:700;font-size:{TITLE_SIZE:g}px}}"
    f".p{{font:{MONO_SIZE:g}px {MONO_FONTS}}}"
    f".h1{{font-size:{HEADING_SIZE:g}px;font-weight:700}}"
    ".e{fill:none;stroke-width:1.4}.tr{stroke-dasharray:5 4}.cf{stroke-dasharray:6 3}"
    ".sep{stroke-width:.7}"
    ".fr{stroke-width:1.5}.rt{font-weight:700}.end{text-anchor:end}.mid{text-anchor:middle}"
)


def css() -> str:
    """Return the style sheet: literal colours, no var(), which some renderers draw as black."""
    return f"{_FIXED}{_rules(LIGHT)}@media (prefers-color-scheme:dark){{{_rules(DARK)}}}"


def _rules(colour: dict[str, str]) -> str:
    kinds = "".join(f".k-{kind}{{fill:{colour[kind]}}}" for kind in KIND_WORDS)
    return (
        f"text{{fill:{colour['text']}}}.s,.p{{fill:{colour['muted']}}}"
        f".bg{{fill:{colour['background']}}}"
        f".c{{fill:{colour['card']};stroke:{colour['edge']}}}"
        f".f{{fill:{colour['frame']};stroke:{colour['border']}}}"
        f".f2{{fill:{colour['frame2']};stroke:{colour['border']}}}"
        f".hd{{fill:{colour['frame2']}}}.e{{stroke:{colour['edge']}}}"
        f".tr{{stroke:{colour['training']}}}.ar{{fill:{colour['edge']}}}"
        f".rp{{fill:{colour['times']}}}.rt{{fill:{colour['background']}}}"
        f".sep{{stroke:{colour['border']}}}.fr{{stroke:{colour['times']}}}"
        f".bare{{stroke:none}}{kinds}"
    )
