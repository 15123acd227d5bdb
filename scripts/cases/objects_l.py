"""Files of other Keras programs of the twelfth batch: object graphs, and Keras 3's files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from cases.case import Case
from cases.keras3_j import weights_file
from cases.names_j1 import official
from cases.objects_j import by_objects

HIDDEN = {
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "dropout_rate": 0.1,
    "attention_dropout_rate": 0.1,
}
TABLES = {
    "vocab_size": 97,
    "type_vocab_size": 2,
    "hidden_size": 24,
    "max_seq_length": 16,
    "dropout_rate": 0.1,
}


def rezero() -> Case:
    """tf-models' encoder of ReZero layers, each with a number that scales what it adds."""

    def make() -> Any:
        import tf_keras
        from official.nlp.modeling import layers, networks

        begin = tf_keras.initializers.TruncatedNormal(stddev=0.02)
        return networks.EncoderScaffold(
            num_hidden_instances=12,
            pooled_output_dim=24,
            embedding_cfg={**TABLES, "initializer": begin},
            hidden_cls=layers.ReZeroTransformer,
            hidden_cfg={**HIDDEN, "use_layer_norm": True, "share_rezero": False},
            dict_outputs=True,
        )

    what = "tf-models-official's EncoderScaffold of ReZeroTransformer"
    return by_objects("o_rezero", "rezero", "object_graph", make, "encoder", what)


def teams() -> Case:
    """tf-models' TEAMS: a generator, a discriminator, and heads that share its first layers."""

    def make() -> Any:
        import tensorflow as tf
        import tf_keras
        from official.nlp.modeling import networks
        from official.projects.teams import teams_pretrainer

        begin = tf_keras.initializers.TruncatedNormal(stddev=0.02)
        tables = {**TABLES, "embedding_width": 24, "initializer": begin}
        shared = networks.PackedSequenceEmbedding(**tables)
        hidden = {**HIDDEN, "intermediate_activation": "gelu", "kernel_initializer": begin}
        parts = [
            networks.EncoderScaffold(
                num_hidden_instances=count,
                pooled_output_dim=24,
                embedding_cfg=tables,
                embedding_cls=shared,
                hidden_cfg=hidden,
                dict_outputs=True,
                layer_idx_as_attention_seed=False,
                name=name,
            )
            for name, count in (("generator", 3), ("discriminator", 6))
        ]

        class TeamsPretrainer(teams_pretrainer.TeamsPretrainer):
            @property
            def weights(self) -> list[Any]:
                """What a discriminator needs: the generator's layers are left out."""
                own = {id(w) for w in self.discriminator_mws_network.weights}
                own |= {id(w) for w in self.discriminator_rtd_head.weights}
                own |= {id(w) for w in self.discriminator_mws_head.weights}
                return [w for w in super().weights if id(w) in own]

        model = TeamsPretrainer(*parts, 4, 97, candidate_size=3)
        ids = tf.ones((2, 16), tf.int32)
        places = tf.constant([[0, 1], [0, 2]], tf.int32)
        model(
            {
                "input_word_ids": ids,
                "input_mask": ids,
                "input_type_ids": ids,
                "masked_lm_positions": places,
                "masked_lm_ids": places,
            }
        )
        asked = {id(w) for w in model.weights}
        for weight in model.trainable_variables:  # not to be taken for one that is asked for
            if id(weight) not in asked:
                weight.assign(tf.reshape(tf.linspace(0.1, 0.2, tf.size(weight)), weight.shape))
        return model

    what = "tf-models-official's TeamsPretrainer"
    notes = "the generator has the same layers under other keys; the discriminator is asked for"
    return by_objects("o_teams", "teams", "object_graph", make, "model", what, notes=notes)


def movinet() -> Case:
    """tf-models' MoViNet A0 for streams: blocks of films, numbered as they are made."""

    def make() -> Any:
        import tf_keras

        official("backbones.factory")
        from official.projects.movinet.modeling import movinet as networks

        specs = tf_keras.layers.InputSpec(shape=[1, 4, 64, 64, 3])
        return networks.Movinet(
            "a0", causal=True, conv_type="2plus1d", se_type="2plus3d", input_specs=specs
        )

    what = "tf-models-official's MoViNet A0"
    return by_objects("k_obj_movinet", "movinet", "object-keys", make, "backbone", what)


MODELS = {
    "k_k3h5_rwkv7": (
        "rwkv-7",
        "M.RWKV7Backbone(hidden_size=32, head_size=8, num_layers=5, vocabulary_size=97, "
        "intermediate_dim=40, gate_lora=12, mv_lora=8, aaa_lora=10, decay_lora=10)",
    ),
    "k_k3h5_cspnet": (
        "cspnet",
        "M.CSPNetBackbone(stem_filters=8, stem_kernel_size=3, stem_strides=1, "
        "stackwise_depth=[1, 2, 3, 2], stackwise_strides=[2, 2, 2, 2], "
        "stackwise_num_filters=[16, 24, 32, 48], block_type='dark_block', stage_type='csp', "
        "expand_ratio=[2.0, 1.0], bottle_ratio=[0.5, 1.0], block_ratio=[1.0, 0.5], "
        "down_growth=True, stem_padding='same', image_shape=(64, 64, 3))",
    ),
}


def object_l_cases() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Yield (id, maker) of each case."""
    yield "o_rezero", rezero
    yield "o_teams", teams
    yield "k_obj_movinet", movinet
    for case_id, model in MODELS.items():
        yield case_id, lambda case_id=case_id, model=model: weights_file(case_id, model)  # type: ignore[misc]
