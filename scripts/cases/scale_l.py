"""The large case of the twelfth batch: AlphaFold's evoformer under two programs' names."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from cases.case import Case, Row

M, Z, H = 16, 12, 4  # widths of sequences and of pairs, heads
Pairs = list[tuple[str, str, tuple[int, ...]]]


class Names:
    """Collects (old name, new name, the old one's shape)."""

    def __init__(self) -> None:
        self.pairs: Pairs = []

    def norm(self, old: str, new: str, n: int) -> None:
        """A layer norm."""
        self.pairs.append((f"{old}/scale", f"{new}.weight", (n,)))
        self.pairs.append((f"{old}/offset", f"{new}.bias", (n,)))

    def dense(self, old: str, new: str, inputs: int, outputs: int) -> None:
        """A dense layer."""
        self.pairs.append((f"{old}/weights", f"{new}.weight", (inputs, outputs)))
        self.pairs.append((f"{old}/bias", f"{new}.bias", (outputs,)))

    def attention(self, old: str, new: str, n: int) -> None:
        """A gated attention, whose weights are leaves of one scope."""
        for one in ("query", "key", "value"):
            self.pairs.append(
                (f"{old}/attention/{one}_w", f"{new}.mha.linear_{one[0]}.weight", (n, n))
            )
        for one, letter in (("gating", "g"), ("output", "o")):
            at = f"{new}.mha.linear_{letter}"
            self.pairs.append((f"{old}/attention/{one}_w", f"{at}.weight", (n, n)))
            self.pairs.append((f"{old}/attention/{one}_b", f"{at}.bias", (n,)))

    def transition(self, old: str, new: str, n: int) -> None:
        """Two dense layers after a norm."""
        self.norm(f"{old}/input_layer_norm", f"{new}.layer_norm", n)
        self.dense(f"{old}/transition1", f"{new}.linear_1", n, 2 * n)
        self.dense(f"{old}/transition2", f"{new}.linear_2", 2 * n, n)

    def block(self, old: str, new: str) -> None:
        """One block: sequences, then pairs."""
        row, col = f"{old}/msa_row_attention_with_pair_bias", f"{old}/msa_column_attention"
        self.norm(f"{row}/query_norm", f"{new}.msa_att_row.layer_norm_m", M)
        self.norm(f"{row}/feat_2d_norm", f"{new}.msa_att_row.layer_norm_z", Z)
        self.pairs.append((f"{row}/feat_2d_weights", f"{new}.msa_att_row.linear_z.weight", (Z, H)))
        self.attention(row, f"{new}.msa_att_row", M)
        self.norm(f"{col}/query_norm", f"{new}.msa_att_col._msa_att.layer_norm_m", M)
        self.attention(col, f"{new}.msa_att_col._msa_att", M)
        self.transition(f"{old}/msa_transition", f"{new}.msa_transition", M)
        at, to = f"{old}/outer_product_mean", f"{new}.outer_product_mean"
        self.norm(f"{at}/layer_norm_input", f"{to}.layer_norm", M)
        self.dense(f"{at}/left_projection", f"{to}.linear_1", M, 8)
        self.dense(f"{at}/right_projection", f"{to}.linear_2", M, 8)
        self.pairs.append((f"{at}/output_w", f"{to}.linear_out.weight", (64, Z)))
        self.pairs.append((f"{at}/output_b", f"{to}.linear_out.bias", (Z,)))
        for word, short in (("outgoing", "out"), ("incoming", "in")):
            at, to = f"{old}/triangle_multiplication_{word}", f"{new}.tri_mul_{short}"
            self.norm(f"{at}/layer_norm_input", f"{to}.layer_norm_in", Z)
            for side, letter in (("left", "a"), ("right", "b")):
                self.dense(f"{at}/{side}_projection", f"{to}.linear_{letter}_p", Z, Z)
                self.dense(f"{at}/{side}_gate", f"{to}.linear_{letter}_g", Z, Z)
            self.norm(f"{at}/center_layer_norm", f"{to}.layer_norm_out", Z)
            self.dense(f"{at}/output_projection", f"{to}.linear_z", Z, Z)
            self.dense(f"{at}/gating_linear", f"{to}.linear_g", Z, Z)
        for word, short in (("starting", "start"), ("ending", "end")):
            at, to = f"{old}/triangle_attention_{word}_node", f"{new}.tri_att_{short}"
            self.norm(f"{at}/query_norm", f"{to}.layer_norm", Z)
            self.pairs.append((f"{at}/feat_2d_weights", f"{to}.linear.weight", (Z, H)))
            self.attention(at, to, Z)
        self.transition(f"{old}/pair_transition", f"{new}.pair_transition", Z)


def evoformer() -> Case:
    """Two stacks of an AlphaFold that was trained in TensorFlow, with averages and slots."""
    names = Names()
    root = "alphafold/evoformer"
    names.dense(f"{root}/preprocess_1d", "input_embedder.linear_tf_m", 21, M)
    names.dense(f"{root}/preprocess_msa", "input_embedder.linear_msa_m", 49, M)
    names.dense(f"{root}/left_single", "input_embedder.linear_tf_z_i", 21, Z)
    names.dense(f"{root}/right_single", "input_embedder.linear_tf_z_j", 21, Z)
    for word, short, count in (("extra_msa", "extra_msa", 4), ("evoformer", "evoformer", 20)):
        for i in range(count):
            names.block(f"{root}/{word}_iteration_{i}", f"{short}_stack.blocks.{i}")
    names.dense(f"{root}/single_activations", "evoformer_stack.linear", M, 24)
    order = np.random.RandomState(12).permutation(len(names.pairs))
    actual: list[Row] = [("global_step", (), "int64")]
    for at in order:
        name, _, shape = names.pairs[at]
        for suffix in ("", "/Adam", "/Adam_1", "/ExponentialMovingAverage"):
            actual.append((name + suffix, shape, "float32"))
    return Case(
        "d_scale_evoformer_slots",
        "evoformer",
        "scale",
        "names",
        actual,
        [(new, shape[::-1], "float32") for _, new, shape in names.pairs],
        {new: old for old, new, _ in names.pairs},
        "names of one generator under AlphaFold's and OpenFold's namings; truth by construction",
        f"{len(names.pairs)} names, each with two slots and an average; the raw values are asked "
        "for; matrices are turned",
        {new: "transpose" for _, new, shape in names.pairs if len(shape) == 2},
    )


def scale_l_cases() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of the case."""
    yield "d_scale_evoformer_slots", evoformer
