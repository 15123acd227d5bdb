"""PNG and PDF of a scene, and exports of the whole graph."""

from __future__ import annotations

import json
import re
import struct
import xml.etree.ElementTree as ElementTree

import networkx
import pytest
from render_graphs import GraphWriter

from graphmap.errors import RenderError
from graphmap.model.namemap import Decision, NameMap
from graphmap.model.stored import StoredModel
from graphmap.model.variable import Variable
from graphmap.render import render_artifact
from graphmap.render.theme import LIGHT, css, style_of

VARIABLES = tuple(
    Variable(f"dense_{n}/{part}", (4, 8), "float32", node=f"dense_{n}/{part}")
    for n in (0, 1)
    for part in ("kernel", "bias")
)


@pytest.mark.parametrize("word", ["png", "pdf"])
def test_the_same_bytes_twice(training: StoredModel, word: str) -> None:
    assert render_artifact(training, (), (), format=word) == render_artifact(
        training, (), (), format=word
    )


def test_png_has_text_and_colours_on_white(training: StoredModel) -> None:
    from PIL import Image

    data = render_artifact(training, (), (), format="png")
    assert struct.unpack(">I", data[16:20])[0] <= 2000
    import io

    image = Image.open(io.BytesIO(data)).convert("RGB")
    assert image.getpixel((0, 0)) == (255, 255, 255)
    colours = {f"#{r:02x}{g:02x}{b:02x}" for _, (r, g, b) in image.getcolors(1 << 24)}
    assert {LIGHT["input"], LIGHT["layer"], LIGHT["training"], LIGHT["text"]} <= colours


def test_png_of_characters_that_our_fonts_lack(writer: GraphWriter) -> None:
    writer.dense("日本語", writer.placeholder("x", None, 4), 4, 4)
    assert render_artifact(writer.stored(), (), (), format="png").startswith(b"\x89PNG")


def test_pdf_holds_its_text_and_fonts(training: StoredModel) -> None:
    data = render_artifact(training, (), (), format="pdf")
    assert data.startswith(b"%PDF-")
    assert re.search(rb"FontFile2", data)
    assert b"run/model.ckpt-5.meta" in data


def test_pdf_looks_as_the_style_sheet_says() -> None:
    sheet = css().partition("@media")[0]
    for name, look in (("tr", "stroke"), ("hd", "fill"), ("f2", "fill"), ("fr", "stroke")):
        (rule,) = re.findall(rf"[,}}]?\.{name}{{[^}}]*{look}:(#[0-9a-f]+)", sheet)
        assert getattr(style_of(name), look) == rule


def test_model_explorer_graph(training: StoredModel) -> None:
    (graph,) = json.loads(render_artifact(training, VARIABLES, (), format="model-explorer"))
    assert training.graph is not None
    nodes = {node["id"]: node for node in graph["nodes"]}
    assert len(nodes) == len(training.graph.nodes)
    matmul = nodes["dense_0/MatMul"]
    assert (matmul["label"], matmul["namespace"]) == ("MatMul", "dense_0")
    assert matmul["incomingEdges"][0] == {
        "sourceNodeId": "x", "sourceNodeOutputId": "0", "targetNodeInputId": "0",
    }  # fmt: skip
    assert {"key": "variable", "value": "dense_0/kernel"} in nodes["dense_0/kernel"]["attrs"]


def test_sync_navigation_goes_from_expected_to_actual(training: StoredModel) -> None:
    name_map = NameMap(
        (
            Decision("new/W", "matched", actual="dense_0/kernel"),
            Decision("new/b", "unmatched"),
        )
    )
    found = json.loads(
        render_artifact(training, VARIABLES, (), format="sync-navigation", name_map=name_map)
    )
    assert found["type"] == "sync_navigation"
    assert found["mapping"] == {"new/W": "dense_0/kernel"}
    with pytest.raises(RenderError, match="--map"):
        render_artifact(training, VARIABLES, (), format="sync-navigation")


def test_graphml_and_node_link_hold_every_node_and_edge(training: StoredModel) -> None:
    assert training.graph is not None
    edges = sum(len(node.inputs) for node in training.graph.nodes)
    graphml = networkx.parse_graphml(
        render_artifact(training, VARIABLES, (), format="graphml").decode()
    )
    linked = networkx.node_link_graph(
        json.loads(render_artifact(training, (), (), format="node-link")), edges="edges"
    )
    for graph in (graphml, linked):
        assert graph.number_of_nodes() == len(training.graph.nodes)
        assert graph.number_of_edges() == edges


def test_exports_of_hostile_names_can_be_read_again(writer: GraphWriter) -> None:
    writer.dense('<b>"&\0\u202e/\ud800', writer.placeholder("x", None, 4), 4, 4)
    stored = writer.stored()
    ElementTree.fromstring(render_artifact(stored, (), (), format="graphml"))
    for word in ("model-explorer", "node-link"):
        json.loads(render_artifact(stored, (), (), format=word))


def test_export_without_a_graph_says_what_to_do() -> None:
    with pytest.raises(RenderError, match=r"\.svg"):
        render_artifact(StoredModel("x", "checkpoint"), (), (), format="graphml")
