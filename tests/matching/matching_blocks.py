"""Stacks of small blocks, named in many ways: {name: shape} in the order of the code."""

NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def norm(name, size, leaves=NORM):
    return {f"{name}/{leaf}": (size,) for leaf in leaves}


def basic(path, shortcuts=(True, False, True, False)):
    """Blocks of two convolutions, some behind a shortcut, each with a norm.

    path(block, place in the block, role, is_norm) names a layer.
    """
    found, size = {}, 8
    for block, has_shortcut in enumerate(shortcuts):
        out = 2 * size if has_shortcut else size
        rows = [("first", (3, 3, size, out)), ("second", (3, 3, out, out))]
        if has_shortcut:
            rows.insert(0, ("shortcut", (1, 1, size, out)))
        for at, (role, shape) in enumerate(rows):
            found[f"{path(block, at, role, False)}/kernel"] = shape
            found |= norm(path(block, at, role, True), out)
        size = out
    return found


def counted(block, at, role, is_norm):
    """As Keras counts layers without a name: a shortcut moves all that is behind it."""
    return f"unit_{block}/{'batch_normalization' if is_norm else 'conv2d'}{f'_{at}' if at else ''}"
