"""A case of the sixth batch from a converter that is a table of names: UnivNet."""

from __future__ import annotations

from cases.beside import beside
from cases.case import Case


def univnet_case() -> Case:
    """Ask for transformers' UnivNet of the checkpoint that maum-ai's code writes."""
    import transformers
    from transformers.models.univnet.convert_univnet import get_key_mapping

    config = transformers.UnivNetConfig(
        model_in_channels=8,
        model_hidden_channels=8,
        num_mel_bins=10,
        resblock_kernel_sizes=[3, 3, 3],
        resblock_stride_sizes=[8, 8, 4],
        resblock_dilation_sizes=[[1, 3, 9], [1, 3, 9], [1, 3, 9]],
        kernel_predictor_num_blocks=2,
        kernel_predictor_hidden_channels=12,
    )
    model = transformers.UnivNetModel(config)
    model.apply_weight_norm()
    expected = []
    for key, value in model.state_dict().items():
        for new, old in (("original0", "g"), ("original1", "v")):
            key = key.replace(f"parametrizations.weight.{new}", f"weight_{old}")
        expected.append((key, tuple(value.shape), "float32"))
    old_of = {new: old for old, new in get_key_mapping(config).items()}
    truth = {key: old_of.get(key, key) for key, _, _ in expected}
    unknown = set(old_of) - set(truth)
    if unknown:
        raise ValueError(
            f"the converter's table names {sorted(unknown)[0]}, which is not asked for"
        )
    case = Case(
        "c_univnet_table",
        "univnet",
        "pt_to_pt",
        "names",
        [(truth[key], shape, dtype) for key, shape, dtype in expected],
        expected,
        dict(truth),
        f"transformers {transformers.__version__}: the table of names of its own converter",
        "conv_blocks and residual_convs are both resblocks; lists hold activations on one side",
    )
    return beside(case, "wrap:model_g+adam")
