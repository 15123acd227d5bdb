"""Cases of the ninth batch from converters of PyTorch checkpoints of other authors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from cases.case import Case, Codes
from cases.converters_i import Shapes, read, script, under


def megatron() -> Case:
    """NVIDIA's checkpoint of Megatron-BERT: query, key and value interleaved in one matrix."""
    import torch
    import transformers

    module = script("megatron_bert.convert_megatron_bert_checkpoint")
    n, wide, layers = 24, 40, 4
    config = transformers.MegatronBertConfig(
        vocab_size=97,
        hidden_size=n,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=wide,
        max_position_embeddings=32,
    )
    model = transformers.MegatronBertForPreTraining(config)
    lm = "language_model"
    shapes: Shapes = {
        f"{lm}.embedding.word_embeddings.weight": (97, n),
        f"{lm}.embedding.position_embeddings.weight": (32, n),
        f"{lm}.embedding.tokentype_embeddings.weight": (2, n),
    }
    for i in range(layers):
        at = f"{lm}.transformer.layers.{i}"
        for part, shape in (
            ("input_layernorm", (n,)),
            ("attention.query_key_value", (3 * n, n)),
            ("attention.dense", (n, n)),
            ("post_attention_layernorm", (n,)),
            ("mlp.dense_h_to_4h", (wide, n)),
            ("mlp.dense_4h_to_h", (n, wide)),
        ):
            shapes[f"{at}.{part}.weight"], shapes[f"{at}.{part}.bias"] = shape, shape[:1]
    shapes |= {f"{lm}.transformer.final_layernorm.{leaf}": (n,) for leaf in ("weight", "bias")}
    shapes |= {f"{lm}.pooler.dense.weight": (n, n), f"{lm}.pooler.dense.bias": (n,)}
    shapes |= {"lm_head.bias": (97,), "lm_head.dense.weight": (n, n), "lm_head.dense.bias": (n,)}
    shapes |= {f"lm_head.layernorm.{leaf}": (n,) for leaf in ("weight", "bias")}
    shapes |= {"binary_head.weight": (2, n), "binary_head.bias": (2,)}
    codes = Codes()
    values = {k: torch.from_numpy(codes.array(k, shape)) for k, shape in shapes.items()}
    tree: dict[str, Any] = {lm: {"embedding": {}, "transformer": {}, "pooler": {}}}
    for name, value in values.items():
        parts = name.split(".")
        if name.startswith(f"{lm}.embedding"):
            tree[lm]["embedding"][parts[2]] = {"weight": value}
        elif name.startswith(lm):
            tree[lm][parts[1]][".".join(parts[2:])] = value
        else:
            tree.setdefault(parts[0], {})[".".join(parts[1:])] = value
    read_state = {"model": tree, "checkpoint_version": 3.0}
    lost = model.load_state_dict(
        module.convert_megatron_checkpoint(None, read_state, config), False
    )
    if lost.missing_keys and lost.missing_keys != ["cls.predictions.decoder.bias"]:
        raise ValueError(f"the converter forgets {lost.missing_keys}")
    with torch.no_grad():  # tied to cls.predictions.bias as transformers loads it
        model.cls.predictions.decoder.bias.copy_(values["lm_head.bias"])
    case = read(
        "c_megatron_fused",
        "megatron-bert",
        "pt_to_pt",
        shapes,
        model,
        codes,
        "its converter of Megatron-LM's checkpoint",
        "query, key and value are rows of one matrix, head by head",
    )
    return under("model", case)


def videomae() -> Case:
    """The authors' checkpoint of VideoMAE's pretraining: fused projections, two offsets."""
    import torch
    import transformers

    module = script("videomae.convert_videomae_to_pytorch")
    n, small, wide = 24, 16, 40
    config = transformers.VideoMAEConfig(
        image_size=16,
        patch_size=8,
        num_frames=4,
        hidden_size=n,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=wide,
        decoder_hidden_size=small,
        decoder_num_hidden_layers=3,
        decoder_num_attention_heads=4,
        decoder_intermediate_size=28,
        use_mean_pooling=False,
    )
    model = transformers.VideoMAEForPreTraining(config)
    shapes: Shapes = {"mask_token": (1, 1, small)}
    shapes |= {
        "encoder.patch_embed.proj.weight": (n, 3, 2, 8, 8),
        "encoder.patch_embed.proj.bias": (n,),
    }
    for side, count, width, inner in (("encoder", 4, n, wide), ("decoder", 3, small, 28)):
        for i in range(count):
            at = f"{side}.blocks.{i}"
            for norm in ("norm1", "norm2"):
                shapes |= {f"{at}.{norm}.{leaf}": (width,) for leaf in ("weight", "bias")}
            shapes |= {f"{at}.attn.q_bias": (width,), f"{at}.attn.v_bias": (width,)}
            shapes[f"{at}.attn.qkv.weight"] = (3 * width, width)
            for part, shape in (
                ("attn.proj", (width, width)),
                ("mlp.fc1", (inner, width)),
                ("mlp.fc2", (width, inner)),
            ):
                shapes[f"{at}.{part}.weight"], shapes[f"{at}.{part}.bias"] = shape, shape[:1]
        shapes |= {f"{side}.norm.{leaf}": (width,) for leaf in ("weight", "bias")}
    shapes |= {"decoder.head.weight": (2 * 8 * 8 * 3, small), "decoder.head.bias": (384,)}
    shapes["encoder_to_decoder.weight"] = (small, n)
    codes = Codes()
    state = {k: torch.from_numpy(codes.array(k, shape)) for k, shape in shapes.items()}
    model.load_state_dict(module.convert_state_dict(state, config))
    what = "its converter of the authors' checkpoint"
    case = read("c_videomae_pretraining", "videomae", "pt_to_pt", shapes, model, codes, what)
    return under("module", case)


def wavlm() -> Case:
    """Microsoft's checkpoint of WavLM, of fairseq's names."""
    import torch
    import transformers
    from torch.nn.utils import parametrize

    module = script("wavlm.convert_wavlm_original_pytorch_checkpoint_to_pytorch")
    n, wide, layers = 24, 40, 4
    config = transformers.WavLMConfig(
        hidden_size=n,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=wide,
        conv_dim=(8, 8, 8),
        conv_stride=(2, 2, 2),
        conv_kernel=(3, 3, 3),
        num_feat_extract_layers=3,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        num_buckets=20,
        max_bucket_distance=40,
    )
    model = transformers.WavLMModel(config)
    conv = model.encoder.pos_conv_embed.conv
    if hasattr(conv, "parametrizations"):  # the names of torch at that time
        parametrize.remove_parametrizations(conv, "weight")
        torch.nn.utils.weight_norm(conv, name="weight", dim=2)
    shapes: Shapes = {"mask_emb": (n,)}
    for i in range(3):
        shapes[f"feature_extractor.conv_layers.{i}.0.weight"] = (8, 8 if i else 1, 3)
    shapes |= {f"feature_extractor.conv_layers.0.2.{leaf}": (8,) for leaf in ("weight", "bias")}
    shapes |= {"post_extract_proj.weight": (n, 8), "post_extract_proj.bias": (n,)}
    for leaf, value in (
        ("bias", conv.bias),
        ("weight_g", conv.weight_g),
        ("weight_v", conv.weight_v),
    ):
        shapes[f"encoder.pos_conv.0.{leaf}"] = tuple(value.shape)
    for i in range(layers):
        at = f"encoder.layers.{i}"
        parts: list[tuple[str, tuple[int, ...]]] = [
            (f"self_attn.{one}_proj", (n, n)) for one in ("k", "v", "q", "out")
        ]
        parts += [("self_attn.grep_linear", (8, n // 4)), ("self_attn_layer_norm", (n,))]
        parts += [("fc1", (wide, n)), ("fc2", (n, wide)), ("final_layer_norm", (n,))]
        for part, shape in parts:
            shapes[f"{at}.{part}.weight"], shapes[f"{at}.{part}.bias"] = shape, shape[:1]
        shapes[f"{at}.self_attn.grep_a"] = (1, 4, 1, 1)
    shapes["encoder.layers.0.self_attn.relative_attention_bias.weight"] = (20, 4)
    for at, width in (("encoder.layer_norm", n), ("layer_norm", 8)):
        shapes |= {f"{at}.{leaf}": (width,) for leaf in ("weight", "bias")}
    codes = Codes()
    state = {k: torch.from_numpy(codes.array(k, shape)) for k, shape in shapes.items()}
    module.recursively_load_weights(mock.Mock(state_dict=lambda: state), model)
    what = "its converter of the fairseq-like checkpoint"
    return read("c_wavlm_fairseq", "wavlm", "pt_to_pt", shapes, model, codes, what)


def torch_cases() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each case."""
    yield "c_megatron_fused", megatron
    yield "c_videomae_pretraining", videomae
    yield "c_wavlm_fairseq", wavlm
