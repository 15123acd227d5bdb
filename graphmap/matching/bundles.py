"""Several expected tensors that one stored tensor holds: they are matched as one, then taken apart.

TensorFlow's cells keep one matrix for input and state where others keep two; attention keeps query,
key and value side by side; a stack whose layers are equal may be one tensor with an axis for them;
a table of positions may be longer than what is asked for. What is expected is put together only
where the stored side lacks the pieces and has the whole.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from graphmap.matching.decide import Found, Ranking
from graphmap.matching.layout import Label, Shapes, find_layout, label_of
from graphmap.matching.tokens import MARK, scope_of, segments, split_name, words_of
from graphmap.model.namemap import Evidence
from graphmap.model.variable import Variable

if TYPE_CHECKING:
    from graphmap.matching.levels import Result

__all__ = ["Bundle", "Bundled", "bundle", "find_bundles"]

PIECE = re.compile(r"[A-Za-z0-9]+")
# What stands for the state in a name, and what stands there for the input; "" where nothing does.
STATE: dict[str, tuple[str, ...]] = {
    "recurrent": ("", "input"),
    "hh": ("ih", "xh"),
    "h2h": ("i2h", "x2h"),
    "state": ("input",),
    "hidden": ("input",),
    "h": ("x", "i"),
    "u": ("w",),
}
STATE_WORD = rf"(?i)(?<![a-z0-9])(?:{'|'.join(STATE)})(?![a-z0-9])"  # compiled where needed
TRIOS = (("query", "key", "value"), ("q", "k", "v"))
TOGETHER = "query_key_value"
# Of a gated feed-forward layer: the gate, what it gates, and a name that says which comes first.
GATE = re.compile(r"(?<![a-z])gate(?![a-z])")
GATED = ("up", "intermediate")
GATE_FIRST = r"gate_?up"
KERAS_GATES = "gates:ijfo->ifco"  # of any cell of TensorFlow 1 and of Keras
GATES = 3  # least times that the outputs of a cell are as wide as its state
FEWEST_LAYERS = 2
ORDER = "whose gates may stand in another order"
ADDED = "to which the types of tokens, which nobody asks for, may have been added"
PADDED = 2  # rows before the first position, as fairseq and its followers have them

Shape = tuple[int, ...]


class Bundle(NamedTuple):
    """Expected variables in the order in which one stored tensor holds them.

    whole: what is looked for instead. axis: of the expected shapes along which they stand, or None
    where each is one step of an axis that they lack. doubt: why parts are shown only, "" where they
    are not. gates: the layout that puts the gates of a cell in order, "" where nobody knows it.
    first: the row at which the first of them begins.
    """

    positions: tuple[int, ...]
    whole: Variable
    axis: int | None
    doubt: str = ""
    gates: str = ""
    first: int = 0


def find_bundles(
    wanted: Sequence[Variable], pool: Sequence[Variable], sides: Shapes
) -> list[Bundle]:
    """Return what is to be looked for as one tensor; none where the pool has the pieces.

    sides: how many variables of either side have a shape.
    """
    labels: list[Counter[Label]] = [Counter(), Counter()]
    for shapes, counts in zip(sides, labels, strict=True):
        for shape, count in shapes.items():  # few differ
            if shape is None or None in shape:
                return []
            counts[label_of(shape)] += count
    lacking = labels[0] - labels[1]
    beyond = labels[1] - labels[0]
    if not lacking or not beyond:
        return []
    rows = [at for at, v in enumerate(wanted) if label_of(v.shape) in lacking]
    near = [at for at, v in enumerate(wanted) if len(v.shape or ()) == 2]  # rows may be as many
    found: list[Bundle] = []
    taken: set[int] = set()
    crops = _crops(wanted, rows, pool, beyond)
    fused = *_trios(wanted, rows), *_gated(wanted, rows, pool)
    for made in (_cells(wanted, near), fused, _stacks(wanted, rows), crops):
        for bundle in _stored(made, wanted, lacking, beyond):
            if taken.isdisjoint(bundle.positions):
                taken.update(bundle.positions)
                found.append(bundle)
    return found


def _stored(
    made: Iterable[Bundle],
    wanted: Sequence[Variable],
    lacking: Counter[Label],
    beyond: Counter[Label],
) -> Iterator[Bundle]:
    """Yield those whose whole is stored at least as often as it is asked for, and pieces lack."""
    by_label: dict[Label, list[Bundle]] = defaultdict(list)
    for one in made:
        by_label[label_of(one.whole.shape)].append(one)
    for label, same in by_label.items():
        if beyond[label] >= len(same):
            yield from (
                one
                for one in same
                if any(label_of(wanted[at].shape) in lacking for at in one.positions)
            )


def _cells(wanted: Sequence[Variable], rows: Sequence[int]) -> Iterator[Bundle]:
    """Yield input and state of recurrent cells: `kernel` beside `recurrent_kernel`."""
    states = [at for at in rows if re.search(STATE_WORD, wanted[at].name)]
    if not states:
        return
    names = {at: tuple(PIECE.findall(wanted[at].name.lower())) for at in rows}
    places = {pieces: at for at, pieces in names.items()}
    modules = Counter(scope_of(v.name) for v in wanted)
    for state, pieces in ((at, names[at]) for at in states):
        for at, word in enumerate(pieces):
            for other in STATE.get(word, ()):
                first = places.get((*pieces[:at], *((other,) if other else ()), *pieces[at + 1 :]))
                axis = None if first is None else _joint(wanted[first], wanted[state])
                if first is None or axis is None:
                    continue
                rows_each = [_sized(wanted[k])[axis] for k in (first, state)]
                shape = list(_sized(wanted[first]))
                shape[axis] = sum(rows_each)
                # the part beside which the bias stands bears the name
                beside = [modules[scope_of(wanted[k].name)] for k in (first, state)]
                named = wanted[state if beside[1] > beside[0] else first]
                whole = named._replace(shape=tuple(shape))
                keras = word == "recurrent" and axis == 0 and shape[1] == 4 * rows_each[1]
                yield Bundle((first, state), whole, axis, ORDER, KERAS_GATES if keras else "")


def _joint(one: Variable, other: Variable) -> int | None:
    """Return the axis along which two matrices of a cell are put together; None if none is."""
    mine, theirs = _sized(one), _sized(other)
    same = [axis for axis in (0, 1) if mine[axis] == theirs[axis]]
    if len(same) == 2:
        same = [max(same, key=lambda axis: mine[axis])]
    if len(same) != 1 or mine[same[0]] < GATES or mine[0] == mine[1]:
        return None
    return 1 - same[0]


def _trios(wanted: Sequence[Variable], rows: Sequence[int]) -> Iterator[Bundle]:
    """Yield query, key and value of one attention, kernels and biases."""
    places = {wanted[at].name: at for at in rows}
    for name in places:
        for trio in TRIOS:
            pattern = re.compile(rf"(?<![A-Za-z]){trio[0]}(?![A-Za-z])")
            if pattern.search(name) is None:
                continue
            names = [re.sub(pattern, word, name) for word in trio]
            if len(set(names)) < len(trio) or any(n not in places for n in names):
                continue
            parts = tuple(places[n] for n in names)
            yield from _side_by_side(wanted, parts, re.sub(pattern, TOGETHER, name))


def _gated(
    wanted: Sequence[Variable], rows: Sequence[int], pool: Sequence[Variable]
) -> Iterator[Bundle]:
    """Yield the gate of a feed-forward layer and what it gates, where a name has them in order."""
    if not any(re.search(GATE_FIRST, v.name.lower()) for v in pool):
        return
    places = {wanted[at].name: at for at in rows}
    for name in places:
        found = GATE.search(name)
        names = [GATE.sub(word, name) for word in GATED] if found else []
        others = [places[n] for n in names if n in places]
        if len(others) == 1:
            yield from _side_by_side(wanted, (places[name], others[0]), GATE.sub("gate_up", name))


def _side_by_side(
    wanted: Sequence[Variable], parts: tuple[int, ...], name: str
) -> Iterator[Bundle]:
    """Yield the bundle of kernels or biases whose outputs stand one behind the other.

    As they are; else with the heads of each as one axis. Torch keeps outputs first.
    """
    first = wanted[parts[0]]
    plain, flat = [[size(wanted[p]) for p in parts] for size in (_sized, _flattened)]
    if not plain[0]:
        return
    for shapes in (plain, flat) if plain != flat else (plain,):
        is_kernel = len(first.shape or ()) > 1 and len(shapes[0]) > 1
        axis = 0 if first.name.endswith(".weight") or not is_kernel else len(shapes[0]) - 1
        rests = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
        if len(rests) == 1 and (shapes is flat or len(set(plain)) == 1):
            wide = list(shapes[0])
            wide[axis] = sum(shape[axis] for shape in shapes)
            yield Bundle(parts, first._replace(name=name, shape=tuple(wide)), axis)


def _flattened(v: Variable) -> Shape:
    """Return the sizes of a kernel or bias with all axes of its outputs as one."""
    sizes = _sized(v)
    kept = len(sizes) > 2 or (len(sizes) == 2 and not v.name.endswith("bias"))
    return (sizes[0], math.prod(sizes[1:])) if kept else (math.prod(sizes),)


def _stacks(wanted: Sequence[Variable], rows: Sequence[int]) -> Iterator[Bundle]:
    """Yield the layers of a stack, or the experts of a layer, as steps of a first axis.

    They count from 0.
    """
    found: dict[tuple[str, int, tuple[int, ...]], list[tuple[int, int]]] = defaultdict(list)
    for at in rows:
        text, numbers = split_name(wanted[at].name)
        for which, number in enumerate(numbers):
            others = (*numbers[:which], *numbers[which + 1 :])
            found[text, which, others].append((number, at))
    for (text, which, others), members in sorted(found.items(), key=lambda row: row[0][1]):
        members.sort()
        first = wanted[members[0][1]]
        shapes = {wanted[at].shape for _, at in members}
        counted = [number for number, _ in members] == list(range(len(members)))
        if len(members) < FEWEST_LAYERS or not counted or len(shapes) > 1:
            continue
        cuts = text.split(MARK)
        head = re.sub(r"[/._]$", "", cuts[which])
        cuts[which : which + 2] = [head + cuts[which + 1]]
        name = cuts[0] + "".join(f"{n}{cut}" for n, cut in zip(others, cuts[1:], strict=True))
        whole = first._replace(name=name, shape=(len(members), *_sized(first)))
        yield Bundle(tuple(at for _, at in members), whole, None)


def _crops(
    wanted: Sequence[Variable],
    rows: Sequence[int],
    pool: Sequence[Variable],
    beyond: Counter[Label],
) -> Iterator[Bundle]:
    """Yield tables of positions that are longer where they are stored.

    Two rows more are those of padding, which stand first; else the table was made for longer texts.
    Who has no table for the types of tokens may have added its first row to that of positions.
    """
    mine = [at for at in rows if _is_table_of("position", wanted[at])]
    if not mine:
        return
    others = [v for v in pool if label_of(v.shape) in beyond and _is_table_of("position", v)]
    types = [any(_is_table_of("segment", v) for v in side) for side in (wanted, pool)]
    doubt = ADDED if types == [False, True] else ""
    for at in mine:
        count, width = _sized(wanted[at])
        lengths = {_sized(v)[0] for v in others if _sized(v)[1] == width}
        if len(lengths) == 1 and (length := lengths.pop()) > count:
            whole = wanted[at]._replace(shape=(length, width))
            yield Bundle((at,), whole, 0, doubt, first=PADDED if length == count + PADDED else 0)


def _is_table_of(what: str, v: Variable) -> bool:
    if len(v.shape or ()) != 2:
        return False
    words = {w for part in segments(split_name(v.name).text) for w in words_of(part)}
    return what in words and "relative" not in words


def _sized(v: Variable) -> Shape:
    return tuple(n for n in v.shape or () if n is not None)


class Bundled(NamedTuple):
    """What is asked for in place of the expected variables.

    wanted: the variables. back: {position there: positions of the expected variables}.
    """

    wanted: tuple[Variable, ...]
    back: Mapping[int, Sequence[int]]
    bundles: Mapping[int, Bundle]

    def take_apart(self, result: Result, expected: Sequence[Variable]) -> None:
        """Make links, rivals and vetoes of bundles those of what they were made of."""
        if not self.bundles:
            return
        places = {v.name: at for at, v in enumerate(self.wanted)}
        links: list[Found] = []
        cells: dict[tuple[str, str], Bundle] = {}  # of pairs of modules
        for link in result.links:
            bundle = self.bundles.get(places[link.expected.name])
            if bundle is None:
                links.append(link)
                continue
            cells[_modules(link)] = bundle
            turned = link.kernel and result.turned
            for part, position in enumerate(bundle.positions):
                layout = _layout(bundle, part, expected, link.actual, turned)
                links.append(_part_of(link, bundle, expected[position], layout))
        result.links = [_in_order(link, cells.get(_modules(link))) for link in links]
        result.vetoes = {p: why for at, why in result.vetoes.items() for p in self.back[at]}
        result.rivals = {
            p: [self._ranking(ranking, at, p) for ranking in rankings]
            for at, rankings in result.rivals.items()
            for p in self.back[at]
        }

    def _ranking(self, ranking: Ranking, at: int, position: int) -> Ranking:
        return [({position: links[at]}, bits) for links, bits in ranking if at in links]


def bundle(wanted: Sequence[Variable], bundles: Sequence[Bundle]) -> Bundled:
    """Return the expected variables with every bundle at the place of its first part."""
    if not bundles:
        return Bundled(tuple(wanted), {}, {})
    first = {min(one.positions): one for one in bundles}
    inside = {position for one in bundles for position in one.positions}
    made: list[Variable] = []
    back: dict[int, Sequence[int]] = {}
    placed: dict[int, Bundle] = {}
    for at, v in enumerate(wanted):
        if at in first:
            placed[len(made)] = first[at]
            back[len(made)] = first[at].positions
            made.append(first[at].whole)
        elif at not in inside:
            back[len(made)] = (at,)
            made.append(v)
    return Bundled(tuple(made), back, placed)


def _part_of(link: Found, bundle: Bundle, v: Variable, layout: str) -> Found:
    """Return the link of one part; where in doubt it is shown only.

    What a cell adds to its forget gate, and in which order its gates stand, no name and shape tell
    for sure: the rows of one kernel are no kernel of another library yet.
    """
    why = f"a part of what is stored there, {layout}" + (bundle.doubt and f", {bundle.doubt}")
    evidence = (*link.evidence, Evidence("split", 0.0, why))
    shown = bool(bundle.doubt) or link.refused
    return link._replace(expected=v, evidence=evidence, layout=layout, refused=shown)


def _in_order(link: Found, cell: Bundle | None) -> Found:
    """Give the bias of a cell whose gates are known the layout that puts them in order."""
    if cell is None or not cell.gates or link.expected.shape != _sized(cell.whole)[1:]:
        return link
    return link._replace(layout=cell.gates)


def _modules(link: Found) -> tuple[str, str]:
    return scope_of(link.expected.name), scope_of(link.actual.name)


def _layout(
    bundle: Bundle, part: int, expected: Sequence[Variable], actual: Variable, turned: bool
) -> str:
    """Return how a part is got from the tensor that holds it."""
    count = len(bundle.positions)
    axis = bundle.axis or 0
    if bundle.axis is None:
        rows = f"{part}/{count}"
    else:
        shapes = [_sized(expected[position]) for position in bundle.positions]
        if len(shapes[0]) > len(bundle.whole.shape or ()):  # heads that stand as one axis
            shapes = [_flattened(expected[position]) for position in bundle.positions]
        sizes = [shape[axis] for shape in shapes]
        start = bundle.first + sum(sizes[:part])
        even = len(set(sizes)) == 1 < count
        rows = f"{part}/{count}" if even else f"{start}:{start + sizes[part]}"
    whole = find_layout(bundle.whole.shape, actual.shape, turned) or "same"
    words = [] if whole == "same" else [whole]
    return "+".join([*words, f"split:{axis}:{rows}", *filter(None, [bundle.gates])])
