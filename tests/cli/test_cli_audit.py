"""`graphmap audit` as the shell sees it."""

from __future__ import annotations

import json

import pytest

from graphmap.schema import message_class


@pytest.fixture
def hostile(tmp_path):
    graph = message_class("GraphDef")()
    graph.node.add(name="w", op="NoOp")
    function = graph.library.function.add()
    function.signature.name = "body"
    function.node_def.add(name="read", op="ReadFile", input=["path"])
    path = tmp_path / "graph.pb"
    path.write_bytes(graph.SerializeToString())
    return path


def test_json(command, hostile):
    result = command("audit", "graph.pb", "--json")
    content = json.loads(result.stdout)
    assert result.returncode == 1 and content["schema"] == "graphmap.audit/1"
    assert content["worst"] == "high" and content["counts"]["high"] == 1
    (found,) = content["findings"]
    assert (found["op"], found["node"], found["function"]) == ("ReadFile", "read", "body")


def test_sarif(command, hostile):
    log = json.loads(command("audit", "graph.pb", "--format", "sarif").stdout)
    (found,) = log["runs"][0]["results"]
    rules = {rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]}
    assert found["level"] == "error" and found["ruleId"] in rules
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "graph.pb"


def test_no_name_is_live_on_a_page(command, tmp_path):
    graph = message_class("GraphDef")()
    graph.node.add(name="<img src=x onerror=alert(1)>", op="ReadFile")
    (tmp_path / "graph.pb").write_bytes(graph.SerializeToString())
    for wanted in ("json", "sarif", "table"):
        assert "<img" not in command("audit", "graph.pb", "--format", wanted).stdout


def test_output_file(command, hostile, tmp_path):
    result = command("audit", "graph.pb", "--format", "sarif", "-o", "audit.sarif")
    assert result.returncode == 1 and result.stdout == ""
    assert json.loads((tmp_path / "audit.sarif").read_text())["version"] == "2.1.0"


def test_a_training_checkpoint_has_only_notes(command):
    result = command("audit", "fixtures/adam_saver")
    assert result.returncode == 0, result.stdout
    assert "critical" not in result.stdout and "note" in result.stdout
