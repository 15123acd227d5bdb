"""Two sides that fit each other as wholes, though no word agrees."""

import pytest

from graphmap.matching import MatchSettings, Side, match_variables
from graphmap.model.variable import Variable

LENIENT = MatchSettings(min_confidence=0.5)


def side(*rows):
    return Side(tuple(Variable(name, shape) for name, shape in rows), ordered=True)


def relation(shaped):
    """Two stacks of four and of three layers and an embedding, in two vocabularies."""
    mine, theirs = [("words.weight", (9, 4))], [("lookup/E", (9, 4))]
    for here, there, count in (("pair_mlp", "g_theta/fc", 4), ("judge_mlp", "f_phi/fc", 3)):
        for k in range(count):
            mine += [(f"{here}.{k}.kernel", (4, 4)), (f"{here}.{k}.bias", (4,))]
            theirs += [(f"{there}_{k + 1}/kernel", (4, 4)), (f"{there}_{k + 1}/bias", (4,))]
    if not shaped:
        mine, theirs = ([(name, None) for name, _ in rows] for rows in (mine, theirs))
    return mine, theirs


@pytest.mark.parametrize("shaped", [True, False])
def test_counts_settle_what_no_word_tells(shaped):
    mine, theirs = relation(shaped)
    found = match_variables(side(*mine), side(*sorted(theirs)), LENIENT)
    wanted = {e: a for (e, _), (a, _) in zip(mine, theirs, strict=True)}
    assert {e: a for e, a in found.items() if "mlp" in e} == {
        e: a for e, a in wanted.items() if "mlp" in e
    }
    assert "whole" in {e.kind for e in found.decision("pair_mlp.0.kernel").evidence}


@pytest.mark.parametrize("shaped", [True, False])
def test_what_fits_in_two_ways_stays_open(shaped):
    mine, theirs = relation(shaped)
    mine = [row for row in mine if "judge" not in row[0]]
    theirs = [row for row in theirs if "f_phi" not in row[0]]
    mine += [(name.replace("pair_mlp", "judge_mlp"), s) for name, s in mine[1:]]
    theirs += [(name.replace("g_theta", "f_phi"), s) for name, s in theirs[1:]]
    found = match_variables(side(*mine), side(*sorted(theirs)), LENIENT)
    assert not any("mlp" in name for name in found)


def test_a_permuted_counter_is_not_trusted():
    mine = [(f"fc{k}/{leaf}", s) for k in range(1, 7) for leaf, s in (("w", (4, 4)), ("b", (4,)))]
    theirs = [
        (f"dense{f'_{k}' if k else ''}/{leaf}", s)
        for k in range(6)
        for leaf, s in (("kernel", (4, 4)), ("bias", (4,)))
    ]
    found = match_variables(side(*mine), side(*sorted(theirs)), LENIENT)
    assert not found.matched
    assert "counter" in {e.kind for e in found.decision("fc1/w").evidence}


def test_heads_kept_apart_are_laid_out():
    rows = [(f"layers/{k}/{w}", (24, 24)) for k in range(3) for w in ("query/kernel", "key/kernel")]
    heads = [(name, (4, 24, 6)) for name, _ in rows]
    found = match_variables(side(*heads), side(*rows), LENIENT)
    assert {d.layout for d in found.matched} == {"reshape+permute:1,0,2"}
    assert len(found.matched) == 6


def test_orphan_slots_do_not_answer():
    mine = [("m/a/kernel", (8, 8)), ("m/b/kernel", (8, 8))]
    found = match_variables(side(*mine), side(("m/b/kernel/Adam", (8, 8))), LENIENT)
    assert not found.matched
    assert not found.decision("m/b/kernel").candidates


def test_two_norms_of_a_block_that_stands_once():
    mine = [
        (f"block/{w}/{leaf}", (8,))
        for w in ("attention/norm", "output/norm")
        for leaf in ("gamma", "beta")
    ]
    theirs = [
        (f"net/block/{w}/{leaf}", (8,))
        for w in ("LayerNorm", "LayerNorm_1")
        for leaf in ("gamma", "beta")
    ]
    more = [
        (f"block/{w}/kernel", s)
        for w, s in (("query", (8, 8)), ("inner", (8, 32)), ("outer", (32, 8)))
    ]
    found = match_variables(
        side(*mine, *more), side(*theirs, *((f"net/{n}", s) for n, s in more)), LENIENT
    )
    assert found["block/attention/norm/gamma"] == "net/block/LayerNorm/gamma"
    assert found["block/output/norm/beta"] == "net/block/LayerNorm_1/beta"
