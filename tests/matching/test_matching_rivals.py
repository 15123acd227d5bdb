"""Which groups are rivals to others: those that could be aligned."""

from graphmap.matching import Side, match_variables
from graphmap.model.variable import Variable

LEAVES = ("gamma", "beta", "moving_mean", "moving_variance")


def side(*rows):
    return Side(tuple(Variable(name, shape) for name, shape in rows), ordered=True)


def norm(path):
    return [(f"{path}/{leaf}", (8,)) for leaf in LEAVES]


def generator():
    """Residual blocks with two norms each, numbered the other way round; a critic stands beside."""
    mine, theirs = (
        [("generator/conv_in/kernel", (3, 3, 3, 8))],
        [("gan_g/n/c/W_conv2d", (3, 3, 3, 8))],
    )
    for k in range(5):
        for at, letter in enumerate("ab"):
            mine += [(f"generator/res_{k + 1}/conv_{letter}/kernel", (3, 3, 8, 8))]
            mine += norm(f"generator/res_{k + 1}/norm_{letter}")
            theirs += [(f"gan_g/n/c{at + 1}/{k}/W_conv2d", (3, 3, 8, 8))]
            theirs += norm(f"gan_g/n/b{at + 1}/{k}")
    mine += [("generator/conv_out/kernel", (1, 1, 8, 3))]
    theirs += [("gan_g/out/W_conv2d", (1, 1, 8, 3))]
    critic = [row for k in range(8) for row in norm(f"gan_d/h{k}/bn")]
    critic += [(f"gan_d/h{k}/c/W_conv2d", (4, 4, 3 + k, 8)) for k in range(8)]
    return mine, theirs, critic


def test_a_group_that_cannot_be_aligned_makes_no_guess_of_another():
    mine, theirs, critic = generator()
    found = match_variables(side(*mine), side(*sorted([*theirs, *critic])))
    assert dict(found.items()) == {e: a for (e, _), (a, _) in zip(mine, theirs, strict=True)}
