"""Graphs that most tests of pictures draw."""

from __future__ import annotations

import pytest
from render_graphs import GraphWriter, training_graph

from graphmap.model.stored import StoredModel


@pytest.fixture
def writer() -> GraphWriter:
    return GraphWriter()


@pytest.fixture
def training(writer: GraphWriter) -> StoredModel:
    """Two dense layers, a loss, Adam, a saver, a summary."""
    return training_graph(writer)
