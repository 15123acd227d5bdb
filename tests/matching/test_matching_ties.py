"""One stored table under several expected names."""

from graphmap.matching import Side, match_variables
from graphmap.model.variable import Variable


def side(*rows):
    return Side(tuple(Variable(name, shape) for name, shape in rows), ordered=True)


def layers(root, dense, count=4):
    return [(f"{root}/layer_{k}/{dense}/kernel", (6, 6 + k)) for k in range(count)]


TABLES = ("model/shared", "encoder/embed_tokens", "decoder/embed_tokens", "lm_head")


def test_all_tables_of_one_shape_share_the_only_tensor_that_has_it():
    mine = [(f"{name}/weight", (90, 6)) for name in TABLES] + layers("encoder", "dense")
    theirs = [("embeddings/weights", (90, 6)), *layers("encoder", "fc")]
    found = match_variables(side(*mine), side(*sorted(theirs)))
    assert {found[f"{name}/weight"] for name in TABLES} == {"embeddings/weights"}
    assert {found.decision(f"{name}/weight").layout for name in TABLES} == {"tied"}


def test_tables_stay_open_where_two_tensors_have_their_shape():
    mine = [(f"{name}/weight", (90, 6)) for name in TABLES] + layers("encoder", "dense")
    theirs = [("embeddings/weights", (90, 6)), ("other/table", (90, 6)), *layers("encoder", "fc")]
    found = match_variables(side(*mine), side(*sorted(theirs)))
    assert "lm_head/weight" not in found


def test_a_table_of_positions_shares_nothing():
    mine = [("embed_tokens/weight", (90, 6)), ("embed_positions/weight", (90, 6))]
    mine += layers("encoder", "dense")
    theirs = [("embeddings/weights", (90, 6)), *layers("encoder", "fc")]
    found = match_variables(side(*mine), side(*sorted(theirs)))
    assert "embed_positions/weight" not in found
