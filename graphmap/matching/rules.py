r"""A map as few rules: anchored patterns that rewrite every name they fit as the map says.

Names that agree but for their numbers are one template; what each number of the actual name is,
reckoned from those of the expected one, is found from all names of the pair of templates. Then
what both sides have in common at the end is made a group, as far as that stays true of the map.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice, repeat
from typing import NamedTuple

from graphmap.chunks import chunks
from graphmap.matching.numbers import find_number
from graphmap.matching.tokens import MARK, MOST_DIGITS, mark_numbers, numbers_in
from graphmap.model.namemap import Decision, Rule
from graphmap.model.rewriting import compile_rule, rewrite_lines

__all__ = ["find_rules"]

MOST_RULES = 400  # more is no help to a reader
MOST_SINGLE = 64  # names with a rule of their own
MOST_TRIES = 2_000  # rules that are proven against the map
MOST_SPARED = 3  # names that a pattern leaves out
SAMPLE = 300  # names on which a rule is tried before it is proven
LEARNED = 10_000  # names from which rules are drafted; they are proven on all
STRIDE = 1_000_003  # a prime: takes names of every residue
FEW = 50  # names that are tried one by one
LONGEST = 300  # characters of a name that takes part
_NUMBER = re.compile(r"(?<![0-9])[0-9]{1,9}(?![0-9])")
_DIGITS = re.compile(r"[0-9]+")
_LITERAL = re.compile(r"\^(?:[A-Za-z0-9_/]|\\[./ -])*\$")
_SPECIAL = frozenset("\\{}")  # a replacement without these is the text that it makes


class _Template(NamedTuple):
    """A name without its numbers: n + 1 texts around n numbers."""

    texts: tuple[str, ...]
    numbers: tuple[str, ...]


_Row = tuple[str, _Template, _Template]  # expected name, its template, the actual one's


class _Proven(NamedTuple):
    """A rule and the names that it rewrites. first: some of them, the first of the map too."""

    rule: Rule
    names: Sequence[str]
    first: Sequence[str]


class _Draft(NamedTuple):
    """A rule as parts: text, or the number of a group with what it matches or becomes."""

    pattern: tuple[str, ...]
    replacement: tuple[str, ...]
    rows: tuple[_Row, ...]


def find_rules(decisions: Iterable[Decision]) -> tuple[Rule, ...]:
    """Return rules that together rewrite the matched names as the map does, in map order.

    Each is proven: of all expected names, open ones too, it fits only those that it rewrites
    rightly. Names that would need a rule each may be left out where they are many.
    """
    wanted = {d.expected: d.actual for d in decisions}
    known = [
        e for e, a in wanted.items() if a is not None and len(e) <= LONGEST and len(a) <= LONGEST
    ]
    prover = _Prover(wanted)
    drafts = deque(sorted(_drafts(known, wanted), key=lambda draft: -len(draft.rows)))
    rules: list[_Proven] = []
    covered: set[str] = set()
    singles = 0
    while drafts and len(rules) < MOST_RULES and prover.tries < MOST_TRIES:
        draft = drafts.popleft()
        if covered.issuperset(row[0] for row in draft.rows):
            continue
        proven = prover.first(_from_general(draft, prover))
        if proven is None:
            drafts.extend(_parts(draft.rows))
            continue
        singles += proven.rule.covers == 1
        if proven.rule.covers > 1 or singles <= MOST_SINGLE:
            rules.append(proven)
            covered.update(proven.names)
    if len(covered) < sum(proven.rule.covers for proven in rules):
        rules = _needed(rules)
    return _in_map_order(rules, wanted)


def _needed(rules: Sequence[_Proven]) -> list[_Proven]:
    """Drop a rule all of whose names larger ones rewrite."""
    kept: list[_Proven] = []
    done: set[str] = set()
    for proven in sorted(rules, key=lambda p: (-p.rule.covers, p.rule.pattern)):
        if not done.issuperset(proven.names):
            kept.append(proven)
            done.update(proven.names)
    return kept


def _in_map_order(rules: Sequence[_Proven], wanted: Mapping[str, str | None]) -> tuple[Rule, ...]:
    asked = {name for proven in rules for name in proven.first}
    place = {name: at for at, name in enumerate(filter(asked.__contains__, wanted))}
    order = sorted((min(map(place.__getitem__, one.first)), one.rule) for one in rules)
    return tuple(rule for _, rule in order)


class _Prover:
    """Tries rules on all expected names, on a sample first."""

    def __init__(self, wanted: Mapping[str, str | None]) -> None:
        self.wanted = wanted
        self.names = sorted(wanted)
        step = max(1, len(self.names) // SAMPLE)
        self.sample = self.names[::step]
        # names that differ in digits only; none where a name has digits that only `\d` knows
        self.alike: dict[str, list[str]] = defaultdict(list)
        for chunk in chunks(list(wanted)) if all(map(str.isascii, wanted)) else ():
            for text, name in zip(_without_digits(chunk), chunk, strict=True):
                self.alike[text].append(name)
        self.tries = 0

    def first(self, forms: Iterable[tuple[str, str]]) -> _Proven | None:
        """Return the first form that is true of the map, with the names that it rewrites."""
        for pattern, replacement in forms:
            names, first = self.prove(pattern, replacement)
            if names:
                return _Proven(Rule(pattern, replacement, len(names)), names, first)
        return None

    def prove(self, pattern: str, replacement: str) -> tuple[Sequence[str], Sequence[str]]:
        """Return the names that a rule rewrites, none where it would rewrite one wrongly.

        And some of them again, of which one is the first in the map.
        """
        self.tries += 1
        if _LITERAL.fullmatch(pattern):  # of thousands of names that count irregularly
            name = re.sub(r"\\(.)", r"\1", pattern[1:-1])
            plain = _SPECIAL.isdisjoint(replacement)
            new = replacement if plain else compile_rule(Rule(pattern, replacement, 1))(name)
            fits = [name] if name in self.wanted and new == self.wanted[name] else []
            return fits, fits
        rule = Rule(pattern, replacement, 1)
        apply = compile_rule(rule)
        if any(self.wanted[name] != new for name in self.sample if (new := apply(name))):
            return [], []
        fitted: list[str] = []
        first: list[str] = []
        for names, in_order in self._may_fit(pattern):
            at_once = rewrite_lines(rule, names) if len(names) > FEW else None
            if at_once is not None:
                if at_once != list(map(self.wanted.__getitem__, names)):
                    return [], []
                fitted += names
                first += names[:1] if in_order else names
                continue
            for name, new in zip(names, map(apply, names), strict=True):
                if new is None:
                    continue
                if self.wanted[name] != new:
                    return [], []
                fitted.append(name)
                first.append(name)
        return fitted, first

    def spare(self, pattern: str, replacement: str) -> str | None:
        """Return the pattern with a look-ahead past the few names that it rewrites wrongly."""
        apply = compile_rule(Rule(pattern, replacement, 1))
        fitting = ((name, apply(name)) for names, _ in self._may_fit(pattern) for name in names)
        wrong = (name for name, new in fitting if new is not None and new != self.wanted[name])
        few = sorted(islice(wrong, MOST_SPARED + 1))
        if not 0 < len(few) <= MOST_SPARED:
            return None
        return f"^(?!(?:{'|'.join(map(re.escape, few))})$){pattern[1:]}"

    def _may_fit(self, pattern: str) -> Iterator[tuple[list[str], bool]]:
        """Yield the names that begin as the pattern does, or are like it but for digits.

        The latter together that are like each other. With each list whether it has the order of
        the map.
        """
        from bisect import bisect_left, bisect_right

        start = re.match(r"\^(?:\(\?!.*\$\))?((?:[A-Za-z0-9_/]|\\[./ -])*)", pattern)
        prefix = re.sub(r"\\(.)", r"\1", start[1]) if start else ""
        first = bisect_left(self.names, prefix)
        last = bisect_right(self.names, prefix, lo=first, key=lambda name: name[: len(prefix)])
        if last - first > FEW and self.alike and "(?!" not in pattern:
            plain = _DIGITS.search(pattern) is None  # then what fits one name fits all like it
            like = re.compile(pattern if plain else _zeroed(pattern))
            for text, names in self.alike.items():
                if like.fullmatch(text):
                    yield names, True
            return
        yield self.names[first:last], False


def _zeroed(pattern: str) -> str:
    """Return the pattern that fits names with `0` for their digits as `pattern` fits them."""
    return _DIGITS.sub("0", pattern).replace(r"(\d+)", "(0)")


def _without_digits(names: Sequence[str]) -> list[str]:
    """Return the names, which are ASCII, with `0` for every run of digits."""
    text = "\n".join(names)
    if MARK in text or text.count("\n") != len(names) - 1:
        return [_DIGITS.sub("0", name) for name in names]
    return mark_numbers(text).replace(MARK, "0").split("\n")


def _templates(names: Sequence[str]) -> list[_Template]:
    """Take names apart, all at once where nothing in them needs a closer look."""
    text = "\n".join(names)
    plain = text.isascii() and MARK not in text and text.count("\n") == len(names) - 1
    numbers = numbers_in(text) if plain else []
    if not plain or max(map(len, numbers), default=0) > MOST_DIGITS:
        return [_template(name) for name in names]
    rows, rest = mark_numbers(text).split("\n"), iter(numbers)
    texts = {row: tuple(row.split(MARK)) for row in set(rows)}
    # each takes as many numbers as its template has, of the one stream
    takers: dict[str, Iterator[tuple[str, ...]]] = {
        row: zip(*(len(parts) - 1) * [rest], strict=False) if MARK in row else repeat(())
        for row, parts in texts.items()
    }
    taken = map(next, map(takers.__getitem__, rows))
    made = zip(map(texts.__getitem__, rows), taken, strict=True)
    return list(map(partial(tuple.__new__, _Template), made))


def _template(name: str) -> _Template:
    numbers = _NUMBER.findall(name)
    return _Template(tuple(_NUMBER.split(name)), tuple(numbers))


def _drafts(names: list[str], wanted: Mapping[str, str | None]) -> Iterator[_Draft]:
    """Yield a draft for each pair of templates, or for the parts into which it falls."""
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[_Row]] = defaultdict(list)
    if len(names) > LEARNED:
        names = [names[at * STRIDE % len(names)] for at in range(LEARNED)]
    sides = _templates(names), _templates([wanted[name] or "" for name in names])
    for expected, left, right in zip(names, *sides, strict=True):
        groups[left.texts, right.texts].append((expected, left, right))
    for rows in groups.values():
        whole = _draft(rows)
        if whole is not None:
            yield whole
        else:
            yield from _parts(rows)


def _parts(rows: Sequence[_Row]) -> Iterator[_Draft]:
    """Split by the values of the number that has the fewest, further where that is no draft."""
    columns = [{row[1].numbers[at] for row in rows} for at in range(len(rows[0][1].numbers))]
    counts = [(len(values), at) for at, values in enumerate(columns) if len(values) > 1]
    if not counts:
        return
    _, at = min(counts)
    parts = defaultdict(list)
    for row in rows:
        parts[row[1].numbers[at]].append(row)
    for part in parts.values():
        draft = _draft(part)
        if draft is not None:
            yield draft
        else:
            yield from _parts(part)


def _draft(rows: Sequence[_Row]) -> _Draft | None:
    """Return the draft that rewrites all rows, None where a number follows from no other."""
    _, left, right = rows[0]
    columns = list(zip(*(row[1].numbers for row in rows), strict=True))
    varying = [at for at, column in enumerate(columns) if len(set(column)) > 1]
    pattern = [re.escape(left.texts[0])]
    for at, text in enumerate(left.texts[1:]):
        fixed = re.escape(left.numbers[at])
        pattern += [r"(\d+)" if at in varying else fixed, re.escape(text)]
    replacement = [_literal(right.texts[0])]
    sources = [columns[at] for at in varying]
    for at, text in enumerate(right.texts[1:]):
        found = find_number([row[2].numbers[at] for row in rows], sources)
        if found is None:
            return None
        replacement += [found, _literal(text)]
    return _Draft(tuple(pattern), tuple(replacement), tuple(rows))


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("{", "{{").replace("}", "}}")


def _from_general(draft: _Draft, prover: _Prover) -> Iterator[tuple[str, str]]:
    """Yield pattern and replacement, those with the longest common end as a group first.

    The last one leaves out the numbers of names that are mapped otherwise.
    """
    left, right = _segments(draft.pattern), _segments(draft.replacement)
    common = 0
    while common < min(len(left), len(right)) and _same(left, right, common + 1):
        common += 1
    for kept in range(common, 0, -1):
        head, tail = left[:-kept], right[:-kept]
        groups = sum(part.count(r"(\d+)") for part in head)
        yield f"^{''.join(head)}(.+)$", "".join([*tail, f"\\{groups + 1}"])
    pattern, replacement = f"^{''.join(left)}$", "".join(right)
    yield pattern, replacement
    spared = prover.spare(pattern, replacement)
    if spared is not None:
        yield spared, replacement


def _segments(parts: Sequence[str]) -> list[str]:
    """Join the parts and cut them after every separator."""
    text = "".join(parts)
    return [piece for piece in re.split(r"(?<=/)|(?<=\.)", text) if piece]


def _same(left: Sequence[str], right: Sequence[str], count: int) -> bool:
    """Whether the last `count` segments are one text, numbers copied in order."""
    groups = sum(part.count(r"(\d+)") for part in left[:-count])
    text = "".join(left[-count:])
    while r"(\d+)" in text:
        groups += 1
        text = text.replace(r"(\d+)", f"\\\\{groups}", 1)
    return re.sub(r"\\([^0-9])", r"\1", text).replace("\\\\", "\\") == re.sub(
        r"\\\\|\{\{|\}\}", lambda found: found[0][0], "".join(right[-count:])
    )
