"""The fingerprint that no name changes."""

from graphmap.analysis.architecture import architecture
from graphmap.model.variable import Variable


def _of(*shapes, **others):
    return architecture([Variable(f"v{n}", shape, **others) for n, shape in enumerate(shapes)])


def test_names_order_and_layout_do_not_count():
    assert _of((3, 4), (4,)) == _of((4,), (4, 3)) == _of((1, 3, 4), (4, 1))


def test_a_layer_more_or_another_size_does():
    known = {_of((3, 4)), _of((3, 4), (3, 4)), _of((3, 5)), _of((12,)), _of((3, None))}
    assert len(known) == 5


def test_slots_and_steps_do_not_count():
    slot = Variable("W/Adam", (3, 4), role="slot")
    assert architecture([Variable("W", (3, 4)), slot]) == architecture([Variable("a", (3, 4))])


def test_nothing_is_told_without_weights_or_shapes():
    assert architecture([]) is None
    assert _of(None, None) is None
