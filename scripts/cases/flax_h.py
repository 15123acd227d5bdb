"""Cases of the eighth batch from JAX: LongT5 from T5X over Flax to PyTorch, BEiT from Flax."""

from __future__ import annotations

import sys
from importlib import import_module
from unittest import mock

import numpy as np

from cases.case import Case, Codes
from cases.tf1_checkpoints import Names


def longt5_case() -> Case:
    """LongT5 as T5X keeps it; transformers' converter to Flax, then its reader of Flax.

    Needs jax and flax, and an interpreter that has not loaded TensorFlow before them.
    """
    import transformers
    from transformers.modeling_flax_pytorch_utils import load_flax_weights_in_pytorch_model

    with mock.patch.dict(sys.modules, {"t5x": mock.MagicMock()}):
        module = import_module("transformers.models.longt5.convert_longt5x_checkpoint_to_flax")
    n, heads, each, wide, layers = 24, 4, 6, 40, 4
    config = transformers.LongT5Config(
        vocab_size=97,
        d_model=n,
        d_kv=each,
        d_ff=wide,
        num_layers=layers,
        num_heads=heads,
        encoder_attention_type="transient-global",
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        global_block_size=4,
        local_radius=5,
    )
    names: Names = {"token_embedder/embedding": (97, n), "encoder/encoder_norm/scale": (n,)}
    names["decoder/decoder_norm/scale"] = (n,)
    names["decoder/logits_dense/kernel"] = (n, 97)
    for at in ("encoder/relpos_bias", "encoder/side_relpos_bias", "decoder/relpos_bias"):
        names[f"{at}/rel_embedding"] = (heads, 32)
    for side in ("encoder", "decoder"):
        attentions = ("attention",)
        if side == "decoder":
            attentions = ("self_attention", "encoder_decoder_attention")
        for i in range(layers):
            at = f"{side}/layers_{i}"
            for one in attentions:
                for part in ("query", "key", "value"):
                    names[f"{at}/{one}/{part}/kernel"] = (n, heads * each)
                names[f"{at}/{one}/out/kernel"] = (heads * each, n)
                norm = one.replace("encoder_decoder", "cross")
                names[f"{at}/pre_{norm}_layer_norm/scale"] = (n,)
            if side == "encoder":
                names[f"{at}/attention/T5LayerNorm_0/scale"] = (n,)
            names |= {f"{at}/mlp/wi_{k}/kernel": (n, wide) for k in (0, 1)}
            names[f"{at}/mlp/wo/kernel"] = (wide, n)
            names[f"{at}/pre_mlp_layer_norm/scale"] = (n,)
    codes, tree = Codes(), {}
    for name, shape in names.items():
        *path, leaf = name.split("/")
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node[leaf] = codes.array(f"target/{name}", shape)
    made = transformers.FlaxLongT5ForConditionalGeneration(config)
    with (
        mock.patch.object(module.AutoConfig, "from_pretrained", lambda _: config),
        mock.patch.object(module.FlaxAutoModelForSeq2SeqLM, "from_config", lambda **_: made),
        mock.patch.object(module.checkpoints, "load_t5x_checkpoint", lambda _: {"target": tree}),
        mock.patch.object(made, "save_pretrained", lambda _: None),
    ):
        module.convert_t5x_checkpoint_to_flax("", "", "")
    model = transformers.LongT5ForConditionalGeneration(config)
    model = load_flax_weights_in_pytorch_model(model, made.params)
    state = model.state_dict()
    trace = codes.trace({k: v.double().numpy() for k, v in state.items()})
    rows = [(f"target/{name}", shape, "float32") for name, shape in names.items()]
    for name, shape in names.items():
        slot = f"state/param_states/{name}"
        if len(shape) == 2:
            rows += [
                (f"{slot}/v_row", shape[:1], "float32"),
                (f"{slot}/v_col", shape[1:], "float32"),
            ]
        else:
            rows.append((f"{slot}/v", shape, "float32"))
    return Case(
        "c_longt5_t5x",
        "longt5",
        "flax_to_pt",
        "names",
        [*rows, ("state/step", (), "int32")],
        [(k, tuple(v.shape), "float32") for k, v in state.items()],
        trace.truth,
        f"transformers {transformers.__version__}: its converter of T5X to Flax and its reader of "
        "Flax run on numbered values; truth and layouts read off them",
        "factored slots in a tree of their own",
        trace.layout,
        {},
        trace.composite,
    )


def beit_case() -> Case:
    """BEiT in Flax and in PyTorch; needs what longt5_case needs."""
    import jax
    import transformers
    from transformers.modeling_flax_pytorch_utils import load_flax_weights_in_pytorch_model

    config = transformers.BeitConfig(
        hidden_size=24,
        num_hidden_layers=5,
        num_attention_heads=4,
        intermediate_size=40,
        image_size=32,
        patch_size=8,
        use_relative_position_bias=True,
        use_absolute_position_embeddings=True,
        num_labels=7,
    )
    made = transformers.FlaxBeitForImageClassification(config)
    codes, rows = Codes(), []

    def coded(path: tuple[object, ...], value: np.ndarray) -> np.ndarray:
        name = "/".join(str(part.key) for part in path)  # type: ignore[attr-defined]
        shape = tuple(value.shape)
        rows.append((f"params/{name}", shape, "float32"))
        return codes.array(f"params/{name}", shape)

    tree = jax.tree_util.tree_map_with_path(coded, made.params)
    model = transformers.BeitForImageClassification(config)
    model = load_flax_weights_in_pytorch_model(model, tree)
    learnt = {name for name, _ in model.named_parameters()}
    state = {k: v for k, v in model.state_dict().items() if k in learnt}
    trace = codes.trace({k: v.double().numpy() for k, v in state.items()})
    slots = [
        (f"opt_state/0/{slot}/{name.removeprefix('params/')}", shape, kind)
        for name, shape, kind in rows
        for slot in ("mu", "nu")
    ]
    return Case(
        "c_beit_flax",
        "beit",
        "flax_to_pt",
        "names",
        [*rows, *slots, ("opt_state/0/count", (), "int32"), ("step", (), "int32")],
        [(k, tuple(v.shape), "float32") for k, v in state.items()],
        trace.truth,
        f"transformers {transformers.__version__}: its reader of Flax run on numbered values; "
        "truth and layouts read off them",
        "Optax's moments in a tree of their own, as a train state is written",
        trace.layout,
        {},
        trace.composite,
    )
