"""A name map as Python code that runs as it is, with the rule lists that other loaders take."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from graphmap.api.name_map import NameMap
from graphmap.matching.rules import find_rules
from graphmap.model.namemap import Decision, Rule
from graphmap.model.rewriting import is_plain
from graphmap.version import VERSION

__all__ = ["huggingface_mapping", "python_code", "t5x_assignment_map", "wildcards"]

_HEAD = """# expected -> actual, by graphmap {version}
#
#   assignment_maps(graph)   [{{checkpoint key: tf.Variable}}] for init_from_checkpoint or a Saver
#   T5X_ASSIGNMENT_MAP       [(regex, replacement)]: expected name -> actual name (T5X, Orbax)
#   HF_KEY_MAPPING           {{regex: replacement}}: actual name -> expected name (from_pretrained)
#   WILDCARDS                {{expected: actual}}, * is a number, ** is anything (Megatron style)
"""
_FUNCTION = '''

def assignment_maps(graph=None):
    """Return [{checkpoint key: tf.Variable}]; one dict, more where variables share a key.

    Names whose layout is not "same" are left out: their values must be turned first.
    """
    import tensorflow as tf

    with (graph or tf.compat.v1.get_default_graph()).as_default():
        variables = {v.op.name: v for v in tf.compat.v1.global_variables()}
    maps = []
    for expected, actual in NAME_MAP.items():
        if expected in variables and expected not in LAYOUTS:
            key = CHECKPOINT_KEYS.get(expected, actual)
            free = next((one for one in maps if key not in one), None)
            if free is None:
                maps.append(free := {})
            free[key] = variables[expected]
    return maps


if __name__ == "__main__":
    for expected, actual in NAME_MAP.items():
        print(f"{expected} -> {actual}")
'''


def python_code(name_map: NameMap) -> str:
    """Return a Python module: the dict, a function for TensorFlow, and rule lists."""
    rows = [d for d in name_map.matched if d.actual is not None]
    keys = {
        d.expected: d.checkpoint_key
        for d in rows
        if d.checkpoint_key is not None and d.checkpoint_key != d.actual
    }
    turned = {d.expected: d.layout for d in rows if d.layout not in ("same", "tied")}
    lines = [_HEAD.format(version=VERSION)]
    lines += _dict("NAME_MAP", ((d.expected, d.actual or "") for d in rows))
    lines += _dict("CHECKPOINT_KEYS", keys.items())
    lines += _dict("LAYOUTS", turned.items())
    lines.append("T5X_ASSIGNMENT_MAP = [")
    lines += [f"    ({pattern!a}, {new!a})," for pattern, new in t5x_assignment_map(name_map)]
    lines.append("]")
    lines += _dict("HF_KEY_MAPPING", huggingface_mapping(name_map).items())
    lines += _dict("WILDCARDS", wildcards(name_map).items())
    lines += [f"# {d.status}: {d.expected!a}" for d in (*name_map.ambiguous, *name_map.unmatched)]
    lines += [f"# joined from parts: {d.expected!a}" for d in name_map.matched if d.actual is None]
    return "\n".join(lines) + _FUNCTION


def t5x_assignment_map(name_map: NameMap) -> list[tuple[str, str]]:
    r"""Return (regex, replacement) pairs for whole expected names.

    T5X: `assignment_map` of t5x.checkpoints takes a target's name by `re.fullmatch` and gives the
    name in the checkpoint. Rules with arithmetic come out name by name.
    """
    return _plain_rules(name_map.rules, [(d.expected, d.actual) for d in name_map.matched])


def huggingface_mapping(name_map: NameMap) -> dict[str, str]:
    """Return {regex of an actual name: replacement that makes the expected one}.

    transformers: `key_mapping` of from_pretrained renames the keys of a checkpoint by `re.sub`.
    A name that several expected ones share is given to the first.
    """
    turned: dict[str, str] = {}
    for d in name_map.matched:
        if d.actual is not None:
            turned.setdefault(d.actual, d.expected)
    decisions = [Decision(actual, "matched", actual=name) for actual, name in turned.items()]
    return dict(_plain_rules(find_rules(decisions), list(turned.items())))


def wildcards(name_map: NameMap) -> dict[str, str]:
    """Return {expected: actual} in which * stands for a number and ** for anything.

    Megatron Bridge: parameter mappings pair two patterns whose stars stand in one order.
    """
    found = {}
    left = {d.expected: d.actual for d in name_map.matched if d.actual is not None}
    for rule in name_map.rules:
        starred = _starred(rule)
        if starred is None:
            continue
        found[starred[0]] = starred[1]
        shape = re.compile(rule.pattern)
        left = {name: actual for name, actual in left.items() if not shape.fullmatch(name)}
    return {**found, **left}


def _starred(rule: Rule) -> tuple[str, str] | None:
    """Return both sides of a rule with stars; None where numbers are reckoned or reordered."""
    if not is_plain(rule) or "(?!" in rule.pattern:
        return None
    stars = [
        "**" if group == "(.+)" else "*"
        for group in re.findall(r"\(\\d\+\)|\(\.\+\)", rule.pattern)
    ]
    groups = [int(a or b) for a, b in re.findall(r"\\g<(\d+)>|\\(\d+)", rule.replacement)]
    if groups != list(range(1, len(stars) + 1)):
        return None
    pattern = re.sub(r"\(\\d\+\)", "*", rule.pattern[1:-1]).replace("(.+)", "**")
    rest = iter(stars)
    replaced = re.sub(r"\\g<\d+>|\\\d+", lambda _: next(rest), rule.replacement)
    return re.sub(r"\\(.)", r"\1", pattern), re.sub(r"\\(.)", r"\1", replaced)


def _plain_rules(
    rules: Sequence[Rule], pairs: Iterable[tuple[str, str | None]]
) -> list[tuple[str, str]]:
    """Return the rules without arithmetic, then the names that they do not rewrite."""
    plain = [rule for rule in rules if is_plain(rule)]
    patterns = [re.compile(rule.pattern) for rule in plain]
    singles = [
        (f"^{re.escape(name)}$", new.replace("\\", "\\\\"))
        for name, new in pairs
        if new is not None and not any(pattern.fullmatch(name) for pattern in patterns)
    ]
    return [*((rule.pattern, rule.replacement) for rule in plain), *singles]


def _dict(name: str, items: Iterable[tuple[str, str]]) -> list[str]:
    rows = [f"    {key!a}: {value!a}," for key, value in items]
    return [f"{name} = {{", *rows, "}"] if rows else [f"{name} = {{}}"]
