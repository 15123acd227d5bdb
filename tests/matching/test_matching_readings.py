"""How names are read: what an optimizer adds, what frameworks count, what stands side by side."""

import graphmap
from graphmap.matching.states import suffixed_states


def matched(expected, actual):
    return {d.expected: d.actual for d in graphmap.match(expected, actual).matched}


def layers(name, count=3, width=8):
    """Two dense layers a block: {name(block, word, leaf): shape}."""
    found = {}
    for at in range(count):
        for word, shape in (("up", (width, 20)), ("down", (20, width))):
            found[name(at, word, "kernel")] = shape
            found[name(at, word, "bias")] = shape[1:]
    return found


def truth_of(expected, actual):
    return dict(zip(expected, actual, strict=True))


def test_words_behind_a_name_are_an_optimizers():
    """As Paddle names its moments and powers."""
    expected = layers("layer.{}.{}.{}".format)
    actual = layers(lambda at, word, leaf: f"layer_{at}_{word}.{leaf[0].replace('k', 'w')}_0")
    truth = truth_of(expected, actual)
    for name, shape in list(actual.items()):
        actual |= {f"{name}_moment1_0": shape, f"{name}_beta1_pow_acc_0": (1,)}
    assert matched(expected, dict(sorted(actual.items()))) == truth


def test_words_that_are_asked_for_are_no_optimizers():
    names = {f"fc_{k}.w" for k in range(5)}
    assert not suffixed_states(names | {f"{n}_gain" for n in names}, ["layer.w_gain"])


def block(prefix, name, fused):
    """A layer with two heads of keys, four of queries, and a gate beside what it gates."""
    if fused:
        return {
            f"{prefix}.self_attn.qkv_proj.weight": (48, 24),
            f"{prefix}.self_attn.o_proj.weight": (24, 24),
            f"{prefix}.mlp.gate_up_proj.weight": (80, 24),
            f"{prefix}.mlp.down_proj.weight": (24, 40),
        }
    return {
        f"{prefix}/attention/query/kernel": (24, 4, 6),
        f"{prefix}/attention/key/kernel": (24, 2, 6),
        f"{prefix}/attention/value/kernel": (24, 2, 6),
        f"{prefix}/attention/output/kernel": (4, 6, 24),
        f"{prefix}/ffn_{name}_dense/kernel": (24, 40),
        f"{prefix}/ffn_gate_dense/kernel": (24, 40),
        f"{prefix}/ffn_output_dense/kernel": (40, 24),
    }


def test_fused_heads_of_unlike_numbers_and_a_gate_are_parts():
    expected, actual = {"token_embedding/embeddings": (97, 24)}, {"model.embed.weight": (97, 24)}
    for at in range(3):
        expected |= block(f"layer_{at}", "intermediate", False)
        actual |= block(f"model.layers.{at}", "", True)
    found = {d.expected: d for d in graphmap.match(expected, actual).matched}
    assert len(found) == len(expected)
    key, gate = found["layer_1/attention/key/kernel"], found["layer_2/ffn_gate_dense/kernel"]
    assert (key.actual, key.layout) == (
        "model.layers.1.self_attn.qkv_proj.weight", "transpose+split:1:24:36"
    )  # fmt: skip
    assert gate.layout == "transpose+split:1:0/2"


def test_blocks_that_keras_3_counts_are_those_of_its_list():
    def stored(at, word, leaf):
        scope = f"layers/decoder/layers/my_block{f'_{at}' if at else ''}"
        return f"{scope}/{word}_dense/vars/{int(leaf == 'bias')}"

    expected, actual = layers("decoder/layer_{}/{}/{}".format, 2), layers(stored, 2)
    assert matched(expected, dict(sorted(actual.items()))) == truth_of(expected, actual)


def windows(name):
    """Branches of a block whose second and third windows are 1x7 and 7x1."""
    found = {}
    for at in range(3):
        for k, (height, width) in enumerate(((1, 1), (1, 7), (7, 1))):
            found[name(at, k, height, width)] = (height, width, 12, 12)
        found[name(at, 3, 3, 3)] = (3, 3, 12, 12 + at)
    return found


def test_the_size_of_a_window_is_no_word_that_parts_a_row():
    mine = windows("blocks/{}/branch/{}/kernel".format)
    theirs = windows(lambda at, k, h, w: f"Net/repeat_{at}/Conv_0{'abcd'[k]}_{h}x{w}/weights")
    assert matched(mine, dict(sorted(theirs.items()))) == truth_of(mine, theirs)


def test_image_and_text_are_vision_and_txt():
    expected, actual = {}, {}
    for one, other in (("vision_model", "img"), ("text_model", "txt")):
        expected |= layers(f"model.{one}.layers.{{}}.{{}}.{{}}".format)
        actual |= layers(f"params/{other}/Transformer/block_{{}}/{{}}/{{}}".format)
    assert matched(expected, dict(sorted(actual.items()))) == truth_of(expected, actual)


def test_a_layer_is_told_by_the_place_of_its_block():
    """The first block has a shortcut, so that its layers are fewer than those of all blocks."""
    expected, actual = {}, {}
    at = 0
    for stage, (one, other, count) in enumerate(((6, 8, 2), (8, 12, 4))):
        for k in range(count):
            inputs = other if k else one
            for side, names in (
                (expected, [f"cell{stage + 2}{'abcd'[k]}.body.{n}.weight" for n in "03"]
                 + [f"cell{stage + 2}{'abcd'[k]}.skip.0.weight"]),
                (actual, [f"level{stage}_res{k}/{w}/w" for w in ("conv_in", "middle", "shortcut")]),
            ):  # fmt: skip
                side[names[0]] = (3, 3, inputs, other)
                side[names[1]] = (3, 3, other, other)
                if not k:
                    side[names[2]] = (1, 1, inputs, other)
        at += count
    found = matched(expected, dict(sorted(actual.items())))
    assert found.items() <= truth_of(expected, actual).items()
    assert {"cell2a.body.0.weight", "cell3a.skip.0.weight"} <= found.keys()


def test_a_target_network_is_no_rival_of_what_it_copies():
    expected, actual = {}, {}
    for one, other, last in (("policy", "actor", 3), ("q_value", "critic", 1)):
        for k, shape in enumerate(((6, 16), (16, 16), (16, last))):
            expected[f"agent/{one}/layer_{k}/kernel"] = shape
            actual[f"{other}/fc{k}/kernel"] = shape
    truth = truth_of(expected, actual)
    actual |= {f"target_{name}": shape for name, shape in actual.items()}
    assert matched(expected, dict(sorted(actual.items()))) == truth


def test_layers_of_a_decoder_with_attention_are_no_levels():
    leaves = ("self_attn/query/kernel", "self_attn/out/kernel", "mlp/fc1/kernel", "mlp/fc2/kernel")
    expected = {f"decoder/decoder_layer_{at}/{leaf}": None for at in range(3) for leaf in leaves}
    actual = {f"net/my_decoder/block_{at}/{leaf}": None for at in range(3) for leaf in leaves}
    assert matched(expected, dict(sorted(actual.items()))) == truth_of(expected, actual)


def test_letters_glued_to_what_they_are_of_are_kernel_and_bias():
    """As in a scope of w and b of all layers."""
    words = {"conv1a": "c1", "conv2a": "c2a", "conv2b": "c2b", "fc6": "d1", "fc7": "out"}
    expected, actual = {}, {}
    for k, (one, other) in enumerate(words.items()):
        expected |= {f"net/{one}/kernel": (3, 3, k + 2, k + 3), f"net/{one}/bias": (k + 3,)}
        actual |= {f"var_name/w{other}": (3, 3, k + 2, k + 3), f"var_name/b{other}": (k + 3,)}
    assert matched(expected, dict(sorted(actual.items()))) == truth_of(expected, actual)


def test_one_scope_without_a_number_begins_all_layers():
    leaves = [f"{word}/{leaf}" for word in ("q", "k", "v", "out") for leaf in ("kernel", "bias")]
    shapes = {leaf: (8, 8) if leaf.endswith("kernel") else (8,) for leaf in leaves}
    actual = {f"universal/step/{leaf}": shape for leaf, shape in shapes.items()}
    expected = {f"net/layer_{k}/{leaf}": shapes[leaf] for k in range(6) for leaf in leaves}
    found = {d.expected: d for d in graphmap.match(expected, actual).matched}
    assert {n: d.actual for n, d in found.items()} == {
        name: f"universal/step/{name.split('/', 2)[2]}" for name in expected
    }
    assert found["net/layer_3/q/kernel"].layout == "tied"
