"""A model stored more than once: wrapped in another scope, or made again in a session."""

import pytest

from graphmap.matching import Side, match_variables
from graphmap.model.variable import Variable


def encoder(head, dot="/", kernel="kernel", scale="gamma", shift="beta"):
    rows = {f"{head}{dot}embed{dot}words{dot}table": (50, 12)}
    for k in range(3):
        layer = f"{head}{dot}layer_{k}" if dot == "/" else f"{head}.layer.{k}"
        for part, shape in (("query", (12, 12)), ("key", (12, 12)), ("mlp", (12, 40))):
            rows[f"{layer}{dot}{part}{dot}{kernel}"] = shape
            rows[f"{layer}{dot}{part}{dot}bias"] = shape[1:]
        rows[f"{layer}{dot}norm{dot}{scale}"] = rows[f"{layer}{dot}norm{dot}{shift}"] = (12,)
    return rows


def renamed(rows, head, new):
    return {name.replace(head, new, 1): shape for name, shape in rows.items()}


def code(head="coder"):
    rows = encoder(head, ".", "weight", "weight", "bias")
    return {
        name: shape[::-1] if name.endswith("weight") and len(shape) > 1 else shape
        for name, shape in rows.items()
    }


def matched(mine, theirs, shaped=True):
    sides = [
        Side(tuple(Variable(n, s if shaped else None) for n, s in rows), ordered=True)
        for rows in (mine.items(), sorted(theirs.items()))
    ]
    return dict(match_variables(*sides).items())


STORED = encoder("coder")


@pytest.mark.parametrize("shaped", [True, False])
@pytest.mark.parametrize("wrapper", ["ema", "teacher", "worker_1"])
def test_a_copy_in_another_scope_is_not_meant_unless_it_is_named(wrapper, shaped):
    copy = {f"{wrapper}/{name}": shape for name, shape in STORED.items()}
    assert matched(code(), STORED | copy, shaped) == dict(zip(code(), STORED, strict=True))
    asked = {f"{wrapper}.{name}": shape for name, shape in code().items()}
    assert matched(asked, STORED | copy, shaped) == dict(zip(asked, copy, strict=True))


@pytest.mark.parametrize("shaped", [True, False])
def test_two_copies_of_which_neither_is_named_stay_open(shaped):
    copies = {f"{root}/{n}": s for root in ("online", "target") for n, s in STORED.items()}
    assert matched(code(), copies, shaped) == {}


@pytest.mark.parametrize("shaped", [True, False])
@pytest.mark.parametrize("number", ["", "_1", "_2"])
def test_a_model_made_again_in_a_session_is_meant_by_its_number(number, shaped):
    models = [renamed(STORED, "coder", f"coder{end}") for end in ("", "_1", "_2")]
    asked = code(f"coder{number}")
    meant = renamed(STORED, "coder", f"coder{number}")
    found = matched(asked, models[0] | models[1] | models[2], shaped)
    assert found == dict(zip(asked, meant, strict=True))
