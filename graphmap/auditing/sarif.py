"""Findings as SARIF 2.1.0, which code hosts show as alerts.

Source: docs.oasis-open.org/sarif/sarif/v2.1.0 (3.27 result, 3.28 location).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from graphmap.auditing.findings import Finding

__all__ = ["RULES", "sarif"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"critical": "error", "high": "error", "unknown": "warning", "note": "note"}
_SCORES = {"critical": "9.5", "high": "7.5", "unknown": "5.0", "note": "0.0"}
RULES = {
    "op-code": "An op runs code outside the graph or ends the process",
    "op-writes": "An op writes files",
    "op-reads": "An op reads files",
    "op-network": "An op uses the network",
    "op-hidden": "An op runs a program that is not looked into",
    "op-unknown": "An op type that TensorFlow does not know",
    "op-device": "An op uses devices of the session",
    "asset-path": "An asset lies outside its folder",
    "keras-lambda": "A Lambda layer of a Keras config",
    "keras-function": "A function that a Keras config calls",
    "keras-module": "A foreign module that a Keras config imports",
    "keras-custom": "A class that the loading program has to supply",
    "keras-file": "A file that a Keras config reads",
    "keras-config": "A Keras config that cannot be judged",
    "pickle": "A Python pickle",
    "damaged": "A file that cannot be judged because it is damaged",
}


def sarif(findings: Iterable[Finding], version: str) -> dict[str, Any]:
    """Return a SARIF log; every rule is listed, so that alerts close when findings go."""
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "graphmap",
                        "version": version,
                        "rules": [
                            {"id": rule, "shortDescription": {"text": text}}
                            for rule, text in RULES.items()
                        ],
                    }
                },
                "results": [_result(finding) for finding in findings],
            }
        ],
    }


def _result(finding: Finding) -> dict[str, Any]:
    where = f"{finding.function}/{finding.node}" if finding.function else finding.node
    return {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": " ".join(filter(None, (finding.op, where, finding.why)))},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": quote(finding.file)}},
                "logicalLocations": [{"fullyQualifiedName": where or finding.op}],
            }
        ],
        "properties": {
            "severity": finding.severity,
            "security-severity": _SCORES[finding.severity],
        },
    }
