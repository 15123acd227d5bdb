"""What is left of a settled module goes where its kernel went."""

import graphmap

NORM = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean",
        "running_var": "moving_variance"}  # fmt: skip
KERNELS = ((5, 10, 12), (3, 12, 12), (3, 12, 12), (1, 12, 12), (1, 12, 36))


def frames():
    """Layers numbered by threes against layers numbered from one; two are named otherwise."""
    mine, theirs, truth = {}, {}, {}

    def add(one, other, shape):
        mine[one], theirs[other], truth[one] = shape, shape, other

    for at, kernel in enumerate(KERNELS):
        add(f"model/blocks/{3 * at}/conv/weight", f"net/net{at + 1}_conv/kernel", kernel)
        add(f"model/blocks/{3 * at}/conv/bias", f"net/net{at + 1}_conv/bias", kernel[2:])
        for leaf, word in NORM.items():
            one = f"model/blocks/{3 * at + 2}/norm/{leaf}"
            add(one, f"net/net{at + 1}_bn/{word}", kernel[2:])
    for one, at, kernel in (("model/blocks/18/w", 6, (72, 12)), ("dnn/block_0/w", 7, (12, 12))):
        add(f"{one}/weight", f"net/net{at}_dense/kernel", kernel)
        add(f"{one}/bias", f"net/net{at}_dense/bias", (12,))
        for leaf, word in NORM.items():
            add(f"{one[:-2]}/norm/{leaf}", f"net/net{at}_bn/{word}", (12,))
    return mine, theirs, truth


def test_what_is_left_of_a_module_goes_with_the_rest_of_it():
    mine, theirs, truth = frames()
    found = graphmap.match(mine, dict(sorted(theirs.items())))
    assert {d.expected: d.actual for d in found.matched} == truth
