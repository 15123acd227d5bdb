"""What names alone tell about roles: the fallback where neither graph nor object graph speaks.

A slot has a known word *and* the shape of a variable that exists. Names by source:
slot_creator.py and optimizer.py of TF 1.15, optimizer_v2.py, keras/optimizers.py.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Container, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from graphmap.model.skeletons import DIGIT, distinct_skeletons, is_nested
from graphmap.model.stored import StoredTensor
from graphmap.model.variable import Role

if TYPE_CHECKING:
    from graphmap.model.graph import Dims

__all__ = ["PLAIN", "RoleTriple", "guess_roles", "is_slot_leaf", "role", "slot_word",
           "tell_nothing"]  # fmt: skip


RoleTriple = tuple[Role, str | None, str | None]
"""A role; of slots and shadows the primary, of slots TensorFlow's word."""


def role(word: Role, slot_of: str | None = None, slot: str | None = None) -> RoleTriple:
    """Return the triple of a role; the primary belongs to slots and shadows, a word to slots."""
    return word, slot_of, slot


PLAIN = role("weight")

_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
# Class names in tf.compat.v1.train, in the order in which they make their slots.
_V1_SLOTS: dict[str, tuple[str, ...]] = {
    "adam": ("m", "v"),
    "momentum": ("momentum",),
    "adagrad": ("accumulator",),
    "adadelta": ("accum", "accum_update"),
    "rmsprop": ("rms", "momentum"),
    "ftrl": ("accum", "linear"),
    "adagradda": ("gradient_accumulator", "gradient_squared_accumulator"),
    "proximaladagrad": ("accumulator",),
}
_CENTERED = ("rms", "mg", "momentum")
_WORDS = {
    "m": "m", "v": "v", "vhat": "vhat", "momentum": "momentum", "velocity": "velocity",
    "rms": "rms", "mg": "mg", "accumulator": "accumulator", "accum_grad": "accum_grad",
    "accum_var": "accum_var", "linear": "linear", "adam_m": "m", "adam_v": "v",
}  # fmt: skip
_SHADOW_WORDS = frozenset({"ExponentialMovingAverage"})
_SHADOW_STATE = frozenset({"biased", "local_step"})
_OPTIMIZER_HEADS = frozenset(
    {
        "Adam", "AdamW", "Nadam", "Adamax", "RMSprop", "RMSProp", "SGD", "Adagrad", "Adadelta",
        "Ftrl", "Adafactor", "Lion", "adam", "adamw", "nadam", "adamax", "rmsprop", "sgd",
        "adagrad", "adadelta", "ftrl", "adafactor", "lion", "optimizer", "training", "loss_scale",
    }
)  # fmt: skip
_STEP_LEAVES = frozenset(
    {"global_step", "iter", "iterations", "_iterations", "iteration", "save_counter", "step",
     "train_step", "num_updates"}
)  # fmt: skip
_SCALAR_LEAVES = frozenset(
    {"learning_rate", "_learning_rate", "lr", "beta_1", "beta_2", "decay", "rho", "momentum",
     "epsilon", "momentum_cache", "current_learning_rate", "loss_scale", "good_steps",
     "current_loss_scale", "dynamic_counter"}
)  # fmt: skip
_POWER = re.compile(r"(beta_?[12]?_power|momentum_cache)(_\d+)?")
_NUMBERED = re.compile(r"(.+?)(?:_(\d+))?")
_MESH_SLOT = re.compile(r"(.+)_slot_(\w+)")
_WITH_SIBLINGS = frozenset({"rmsprop"})  # whose words depend on how many slots there are
_KEY_SLOT = "/.OPTIMIZER_SLOT/"
_name = itemgetter(1)  # of a tensor
_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


def guess_roles(tensors: Sequence[StoredTensor]) -> Iterator[RoleTriple | None]:
    """Yield what the name of each tensor tells, in their order; None for a weight.

    tensors: sorted by name.

    >>> w = StoredTensor("w", "w", (2,), "float32", 8)
    >>> list(guess_roles([w, w._replace(name="w/Adam_1", key="w/Adam_1")]))
    [None, ('slot', 'w', 'v')]
    """
    heads = _under_optimizer_heads(tensors)
    shapes: dict[str, Dims] = {}
    leaves: dict[str, _Leaf] = {}
    silent: set[str] = set()  # last parts of names that tell nothing
    base: str | None = None
    below, base_shape = "\0/", ()  # type: str, Dims  # no name begins with a zero byte
    for key, name, shape, dtype, _ in tensors:  # 100,000 of them: the loop is written for speed
        parent, _, leaf = name.rpartition("/")
        sure: RoleTriple | None = None
        if parent == base:
            info = leaves.get(leaf) or _look_up(leaf, leaves, silent)
            if info[2] and shape == base_shape and dtype != "string":
                sure = (info[1], base, info[3])
            is_open = sure is None
        elif name.startswith(below):
            is_open = True
        else:
            base, below, base_shape = name, name + "/", shape
            is_open = not shape or dtype == "string"
            dotted = "." in leaf and "_slot_" not in leaf  # a path of its own: no word is one
            if not (is_open or dotted) and leaf not in silent:
                is_open = (leaves.get(leaf) or _look_up(leaf, leaves, silent))[0]
        if is_open or _KEY_SLOT in key or (heads and name in heads):
            if not shapes:
                shapes.update([(tensor[1], tensor[2]) for tensor in tensors])
            yield _guess(key, name, shape, dtype, shapes) or sure
        else:
            yield sure


def tell_nothing(
    keys: Sequence[str],
    names: Sequence[str],
    shapes: Sequence[Dims],
    dtypes: Sequence[str | None],
) -> bool:
    """Whether `guess_roles` surely has nothing to say of any tensor, as in most listings.

    It is asked of what differs in more than digits, and so may miss that nothing is told.
    """
    found = distinct_skeletons(names)
    if found is None or is_nested(found) or not all(shapes) or "string" in dtypes:
        return False
    if keys != names and any(_KEY_SLOT in key for key in keys):
        return False
    for name in found:
        leaf = name.rpartition("/")[2]
        is_path = "." in leaf and "_slot_" not in leaf  # as in guess_roles
        if not is_path and (DIGIT in leaf or _leaf(leaf)[0]):
            return False
        if name.partition("/")[0] in _OPTIMIZER_HEADS:
            return False
    return not any(_KEY_SLOT in name for name in found)


_Leaf = tuple[bool, Role, bool, str | None]
"""What the last part of a name tells about a child of an existing variable.

Whether it tells anything; the role; whether nothing but the leaf decides role and word; the word.
"""


def _look_up(leaf: str, leaves: dict[str, _Leaf], silent: set[str]) -> _Leaf:
    """Return what a leaf tells, and keep it."""
    info = leaves[leaf] = _leaf(leaf)
    if not info[0]:
        silent.add(leaf)
    return info


def _leaf(leaf: str) -> _Leaf:
    if leaf in _SHADOW_WORDS or leaf in _SHADOW_STATE:
        return True, "shadow", True, None
    is_telling = _is_telling(leaf)
    needs_more = leaf == _OBJECT_GRAPH or _POWER.fullmatch(leaf) is not None
    needs_more = needs_more or (is_telling and leaf.lower().partition("_")[0] in _WITH_SIBLINGS)
    return is_telling, "slot", not needs_more, slot_word(leaf, (), "")


def _under_optimizer_heads(tensors: Sequence[StoredTensor]) -> set[str]:
    """Return the names that begin with an optimizer's scope, by bisection."""
    found: set[str] = set()
    for head in _OPTIMIZER_HEADS:
        start = bisect_left(tensors, f"{head}/", key=_name)
        end = bisect_left(tensors, f"{head}0", lo=start, key=_name)  # "0" follows "/"
        found.update([tensor[1] for tensor in tensors[start:end]])
    return found


def slot_word(leaf: str, siblings: Container[str], parent: str) -> str:
    """Return TensorFlow's word for the slot `parent/leaf`.

    >>> slot_word("Adam_3", set(), "w"), slot_word("adam_v", set(), "w"), slot_word("MyOpt", set(), "w")
    ('v', 'v', 'MyOpt')
    """  # noqa: E501
    if leaf in _WORDS:
        return _WORDS[leaf]
    match = _NUMBERED.fullmatch(leaf)
    if match is None:
        return leaf
    base, number = match[1], int(match[2] or 0)
    words = _V1_SLOTS.get(base.lower())
    if words is None:
        words = next((w for k, w in _V1_SLOTS.items() if base.lower().endswith(k)), ())
    if words == _V1_SLOTS["rmsprop"] and f"{parent}/{base}_2" in siblings:
        words = _CENTERED
    return words[number % len(words)] if words else leaf


def is_slot_leaf(leaf: str) -> bool:
    """Whether a last part can only be the slot of an optimizer, whatever stands before it.

    >>> is_slot_leaf("Adam_1"), is_slot_leaf("Momentum"), is_slot_leaf("momentum")
    (True, True, False)
    """
    match = _NUMBERED.fullmatch(leaf) if leaf[:1].isupper() else None
    return match is not None and match[1].lower() in _V1_SLOTS


def _is_telling(leaf: str) -> bool:
    if leaf in _WORDS or leaf in _SHADOW_WORDS or leaf in _SHADOW_STATE or "_slot_" in leaf:
        return True
    if leaf in _STEP_LEAVES or leaf in _SCALAR_LEAVES or leaf == _OBJECT_GRAPH:
        return True
    match = _NUMBERED.fullmatch(leaf)
    is_slot = match is not None and match[1].lower() in _V1_SLOTS
    return is_slot or _POWER.fullmatch(leaf) is not None


def _guess(
    key: str, name: str, shape: Dims, dtype: str | None, shapes: Mapping[str, Dims]
) -> RoleTriple | None:
    if key == _OBJECT_GRAPH or dtype == "string":
        return role("other")
    if _KEY_SLOT in key:
        return _key_slot(key, shapes)
    name = name.removesuffix(_VALUE)
    parent, _, leaf = name.rpartition("/")
    if _POWER.fullmatch(leaf):
        return role("optimizer")
    base = _base_of(name, parent, leaf, shape, shapes)
    if base is not None:
        if leaf in _SHADOW_WORDS or leaf in _SHADOW_STATE:
            return role("shadow", base)
        return role("slot", base, _word_of(name, leaf, base, shapes, parent))
    if leaf in _SHADOW_WORDS or leaf in _SHADOW_STATE:
        return role("shadow")
    return _scalar_role(name, leaf, shape, dtype)


def _key_slot(key: str, shapes: Mapping[str, Dims]) -> RoleTriple:
    """Read a slot off its place: <primary>/.OPTIMIZER_SLOT/<optimizer>/<slot>."""
    primary, _, rest = key.removesuffix(_VALUE).partition(_KEY_SLOT)
    stored = next((name for name in (primary, primary + _VALUE) if name in shapes), None)
    return role("slot", stored, rest.rpartition("/")[2])


def _scalar_role(name: str, leaf: str, shape: Dims, dtype: str | None) -> RoleTriple | None:
    head = name.partition("/")[0]
    if shape is None and dtype is None and leaf in _STEP_LEAVES - {"step"}:
        return role("step")
    if shape != ():
        is_state = head in {"optimizer", "loss_scale"} and (
            "/_variables/" in name or "/vars/" in name  # Keras 2.11 on; .keras files
        )
        return role("optimizer") if is_state else None
    is_integer = dtype is not None and dtype.startswith(("int", "uint"))
    if leaf in _STEP_LEAVES and (is_integer or dtype is None):
        return role("step")
    if leaf == "global_step":
        return role("step")
    if leaf in _SCALAR_LEAVES or (head in _OPTIMIZER_HEADS and head != "training"):
        return role("optimizer")
    return None


def _base_of(
    name: str, parent: str, leaf: str, shape: Dims, shapes: Mapping[str, Dims]
) -> str | None:
    """Return the existing variable of equal shape that this name is built on."""
    if parent in shapes and _fits(shape, shapes[parent]):
        return parent
    mesh = _MESH_SLOT.fullmatch(name)
    if mesh is not None and mesh[1] in shapes:
        return mesh[1]
    head, _, tail = name.partition("/")
    if _is_telling(leaf):
        return _without_head(parent, shape, shapes)
    if head in _OPTIMIZER_HEADS and tail:
        return _keras_base(tail, shape, shapes)
    return None


def _without_head(parent: str, shape: Dims, shapes: Mapping[str, Dims]) -> str | None:
    """`opt/net/W` -> `net/W`: the optimizer was made in a scope of its own."""
    while "/" in parent:
        parent = parent.partition("/")[2]
        if parent in shapes and _fits(shape, shapes[parent]):
            return parent
    return None


def _keras_base(tail: str, shape: Dims, shapes: Mapping[str, Dims]) -> str | None:
    """`m/dense/kernel` -> `dense/kernel`: the optimizer of Keras 2.11 puts the word first."""
    word, _, rest = tail.partition("/")
    if word in _WORDS and rest in shapes and _fits(shape, shapes[rest]):
        return rest
    return None


def _word_of(name: str, leaf: str, base: str, shapes: Mapping[str, Dims], parent: str) -> str:
    mesh = _MESH_SLOT.fullmatch(name)
    if mesh is not None and mesh[1] == base:
        return mesh[2]
    if name.endswith(base):
        return name[: -len(base) - 1].rpartition("/")[2]
    return slot_word(leaf, shapes, parent)


def _fits(shape: Dims, other: Dims) -> bool:
    return shape is None or other is None or shape == other
