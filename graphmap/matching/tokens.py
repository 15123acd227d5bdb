"""Names -> templates and words.

A template is a name with every index replaced by `#`; thousands of names have tens of templates,
so all that is slow is done once a template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import repeat
from typing import NamedTuple

from graphmap.chunks import chunks
from graphmap.matching.vocabulary import ALIASES, JOINED
from graphmap.model.skeletons import DIGIT, skeletons

__all__ = [
    "MARK",
    "Names",
    "Template",
    "filled",
    "last_segment",
    "mark_numbers",
    "numbers_in",
    "prefixes",
    "scope_of",
    "segments",
    "similarity",
    "split_name",
    "split_names",
    "words_of",
]

MARK = "#"
# ASCII digits only (int() refuses some that isdigit() accepts), nine at most, and no digit that is
# part of a word: conv2d, 1x1.
INDEX = re.compile(r"(?<![0-9][xX])([0-9]{1,9})(?![0-9]*(?:[dD](?![a-zA-Z])|[xX][0-9]))")
WORDED = re.compile("[0-9][dDxX]")
PLAIN = re.compile("([0-9]{1,9})")  # the same where no digit is part of a word, and faster
DIGITS = bytes.maketrans(b"0123456789", 10 * MARK.encode())
OTHERS = bytes(code if chr(code) in "0123456789" else 32 for code in range(256))
LETTERS = bytes(range(ord("A"), ord("Z") + 1)) + bytes(range(ord("a"), ord("z") + 1))
GLUED = re.compile(f"{MARK}[a-zA-Z]+{MARK}")  # numbers that letters part
PARTS = tuple(MARK + letter for letter in "dDxX")  # of WORDED, where numbers are marked
MOST_DIGITS = 9
TAIL = "/.ATTRIBUTES/VARIABLE_VALUE"
LONGEST = 400  # characters that are looked at; what lies before them says least
PRELU = re.compile("(?i)(?<![a-z])p_?re_?lu(?![a-z])")  # its letters are no words
SEPARATORS = re.compile(r"[/.\s]+")
PIECES = re.compile(r"#|[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+|[^\W\d_a-zA-Z]+|[0-9]+[a-zA-Z0-9]*")


class Template(NamedTuple):
    """A name without its indices, and the indices."""

    text: str
    numbers: tuple[int, ...]


def split_name(name: str) -> Template:
    """Take a name apart.

    >>> split_name("block_3/conv2d_1/kernel")
    Template(text='block_#/conv2d_#/kernel', numbers=(3, 1))
    """
    if MARK in name:
        name = name.replace(MARK, "\N{MUSIC SHARP SIGN}")
    index = INDEX if WORDED.search(name) else PLAIN
    parts = index.split(name.removesuffix(TAIL)[-LONGEST:])
    return Template(MARK.join(parts[::2]), tuple(map(int, parts[1::2])))


def filled(name: Template) -> str:
    """Return a name with its indices in place again.

    >>> filled(split_name("block_3/conv2d_1/kernel"))
    'block_3/conv2d_1/kernel'
    """
    rest = iter(name.numbers)
    return "".join(str(next(rest)) if letter == MARK else letter for letter in name.text)


class Names:
    """The names of one side, taken apart; 100,000 of them without an object for each.

    texts, numbers: of each position. skeletons: of all names; None where one has none.
    """

    def __init__(
        self,
        texts: Sequence[str],
        numbers: Sequence[tuple[int, ...]],
        skeletons: set[str] | None = None,
    ) -> None:
        self.texts = texts
        self.numbers = numbers
        self.skeletons = skeletons

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, position: int) -> Template:
        return Template(self.texts[position], self.numbers[position])

    def __iter__(self) -> Iterator[Template]:
        return map(Template, self.texts, self.numbers)

    @cached_property
    def members(self) -> dict[str, list[tuple[tuple[int, ...], int]]]:
        """Return {template: (indices, position) of its names}, in the order of the positions."""
        found: dict[str, list[tuple[tuple[int, ...], int]]] = {text: [] for text in self.texts}
        adders = {text: members.append for text, members in found.items()}
        rows = zip(self.numbers, range(len(self)), strict=True)
        for add, row in zip(map(adders.__getitem__, self.texts), rows, strict=True):
            add(row)
        return found


def split_names(names: Sequence[str]) -> Names:
    r"""Take many names apart as `split_name` does, as one text: a third of the time.

    >>> list(split_names(["a_1/b", "c"])) == [split_name("a_1/b"), split_name("c")]
    True
    """
    texts: list[str] = []
    numbers: list[tuple[int, ...]] = []
    share: dict[str, str] = {}  # so that names of one template share its text
    found: set[str] | None = set()
    for chunk in chunks(names):
        made = _split_chunk(chunk)
        texts += map(share.setdefault, made.texts, made.texts)
        numbers += made.numbers
        found = None if found is None or made.skeletons is None else found | made.skeletons
    return Names(texts, numbers, found)


def _split_chunk(names: Sequence[str]) -> Names:
    rows = skeletons(names)
    known = dict.fromkeys(rows or (), "")
    if rows is None or any(TAIL in one or len(one) > LONGEST for one in known):
        return _one_by_one(names)
    text = "\n".join(names)
    if any(part in one for one in known for part in PARTS):
        parts = INDEX.split(text)
        texts = MARK.join(parts[::2]).split("\n")
        numbers = map(int, parts[1::2])
    elif any((MOST_DIGITS + 1) * DIGIT in one for one in known):
        return _one_by_one(names)
    else:
        known = {one: _shrunk(one) for one in known}
        texts = list(map(known.__getitem__, rows))
        numbers = map(int, numbers_in(text, glued=any(map(GLUED.search, known.values()))))
    # each takes as many numbers as its template has, of the one stream
    takers: dict[str, Iterator[tuple[int, ...]]] = {
        one: zip(*one.count(MARK) * [numbers], strict=False) if MARK in one else repeat(())
        for one in set(texts)
    }
    return Names(texts, list(map(next, map(takers.__getitem__, texts))), set(known))


def _one_by_one(names: Sequence[str]) -> Names:
    found = [split_name(name) for name in names]
    return Names([text for text, _ in found], [numbers for _, numbers in found])


def mark_numbers(text: str) -> str:
    """Return an ASCII text with `#` for every run of digits; ten times as fast as a pattern.

    >>> mark_numbers("layer_12/conv2d")
    'layer_#/conv#d'
    """
    return _shrunk(text.encode("ascii").translate(DIGITS).decode())


def _shrunk(text: str) -> str:
    """Return a text with one `#` for every run of them."""
    while 2 * MARK in text:
        text = text.replace(2 * MARK, MARK)
    return text


def numbers_in(text: str, glued: bool = True) -> list[str]:
    """Return the runs of digits of an ASCII text. glued: nothing but letters may part two of them.

    >>> numbers_in("layer_12/conv2d"), numbers_in("layer_12/conv2d", glued=False)
    (['12', '2'], ['12', '2'])
    """
    return text.encode("ascii").translate(OTHERS, b"" if glued else LETTERS).decode().split()


@lru_cache(maxsize=16384)
def segments(template: str) -> tuple[str, ...]:
    """Return the scopes and the leaf of a template.

    >>> segments("encoder.layer_#/kernel"), segments("blocks_._#/w")
    (('encoder', 'layer_#', 'kernel'), ('blocks_', '_#', 'w'))
    """
    return tuple(part for part in SEPARATORS.split(template) if part)


def prefixes(template: str) -> list[str]:
    """Return the beginnings of a template that end in an index.

    >>> prefixes("block_#/conv_#/kernel")
    ['block_#', 'block_#/conv_#']
    """
    return [template[: found.end()] for found in re.finditer(MARK, template)]


@lru_cache(maxsize=16384)
def last_segment(template: str) -> str:
    """Return what stands behind the last separator of paths, letter for letter.

    >>> last_segment("my_model/W"), last_segment("block.#.bias"), last_segment("W")
    ('W', 'bias', 'W')
    """
    return template[max(template.rfind("/"), template.rfind(".")) + 1 :]


def scope_of(name: str) -> str:
    """Return what stands before the last separator of paths; "" where there is none.

    >>> scope_of("my_model/dense/W"), scope_of("block.0.bias"), scope_of("W")
    ('my_model/dense', 'block.0', '')
    """
    return name[: max(name.rfind("/"), name.rfind("."), 0)]


@lru_cache(maxsize=16384)
def words_of(segment: str) -> tuple[str, ...]:
    """Return the words of one segment, in the field's common spelling; indices stay `#`.

    >>> words_of("SelfAttention"), words_of("layer_norm_#"), words_of("fc#"), words_of("conv2d")
    (('self', 'attention'), ('layernorm', '#'), ('dense', '#'), ('conv',))
    """
    glued = re.sub(r"(?i)(conv|pool|norm)(?:olution)?[0-9][dD]", r"\1", segment)
    glued = PRELU.sub("prelu", glued)
    raw = [piece.lower() for piece in PIECES.findall(glued)]
    found: list[str] = []
    for piece in _unglued(raw):
        if found and (found[-1], piece) in JOINED:
            found[-1] = JOINED[found[-1], piece]
            continue
        found.append(piece)
    return tuple(_common(word) for words in found for word in words.split())


def _unglued(pieces: list[str]) -> list[str]:
    """Take a norm off the word it is glued to: `stembn` is the norm of `stem`."""
    found: list[str] = []
    for piece in pieces:
        glued = len(piece) > 3 and piece.endswith("bn") and piece not in ALIASES
        found.extend((piece[:-2], "bn") if glued else (piece,))
    return found


def _common(word: str) -> str:
    canon = ALIASES.get(word)
    if canon is not None:
        return canon
    if len(word) > 4 and word.endswith("s") and word[-2] not in "su":
        return ALIASES.get(word[:-1], word[:-1])
    return word


@lru_cache(maxsize=65536)
def similarity(expected: str, actual: str) -> float:
    """Return how likely two words mean the same, in [0, 1], from their spelling only.

    >>> similarity("norm", "norm"), similarity("blk", "block"), similarity("wieght", "weight")
    (1.0, 0.7, 0.9)
    >>> similarity("query", "value")
    0.0
    """
    if expected == actual:
        return 1.0
    short, long = sorted((expected, actual), key=lambda word: (len(word), word))
    if len(short) < 2 or short[0].isdigit() or long[0].isdigit():
        return 0.0
    beside = {expected[:3], actual[:3]} == {"pre", "pos"} or long in (f"pre{short}", f"post{short}")
    if beside:  # before a part, the part, behind it
        return 0.0
    if len(short) >= 5 and sorted(short) == sorted(long):
        return 0.9
    if len(short) >= 3 and long.startswith(short):
        return 0.8
    if short[0] == long[0] and len(short) <= 4 and _is_subsequence(short, long):
        return 0.7 if len(short) >= 3 else 0.5
    if len(short) >= 4 and short in long:
        return 0.6
    alike = _dice(short, long)
    return alike if alike >= 0.6 and len(short) >= 4 else 0.0


def _is_subsequence(short: str, long: str) -> bool:
    rest = iter(long)
    return all(letter in rest for letter in short)


def _dice(one: str, other: str) -> float:
    """Share of common pairs of letters, each counted once."""
    first = {one[i : i + 2] for i in range(len(one) - 1)}
    second = {other[i : i + 2] for i in range(len(other) - 1)}
    return 2 * len(first & second) / max(1, len(first) + len(second))
