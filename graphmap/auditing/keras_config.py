"""What a Keras config makes Keras do when the model is loaded.

A config is JSON from a stranger: classes and functions by module and name, Python bytecode in
Lambda layers, paths of vocabularies. Source: keras/src/saving/serialization_lib.py (Keras 3),
tf_keras/src/layers/core/{lambda_layer,tf_op_layer}.py (Keras 2); CVE-2025-1550, -9905, -9906,
-12058.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from graphmap.analysis.effects import EFFECTS, Severity
from graphmap.auditing.findings import Finding

__all__ = ["audit_config"]

_OWN = ("keras", "tf_keras", "keras_core", "tensorflow")  # packages a Keras model is made with
_KERAS_FAMILY = ("keras_nlp", "keras_hub", "keras_cv", "keras_tuner", "tensorflow_probability")
_LAMBDAS = ("Lambda",)
_OP_LAMBDAS = ("TFOpLambda", "ClassMethod", "InstanceMethod", "InstanceProperty", "SlicingOpLambda")
_VOCABULARIES = ("StringLookup", "IntegerLookup", "IndexLookup", "TextVectorization")
# functions of Keras and TensorFlow that fetch, write, load or switch off the guard
_GADGETS = frozenset(
    ("get_file", "enable_unsafe_deserialization", "load_model", "load_weights", "load_img",
     "func_load", "model_from_json", "model_from_config", "save_model", "export", "py_function",
     "numpy_function", "py_func", "load_op_library", "load_library", "read_file", "write_file",
     "matching_files", "load_file_system_library", "image_dataset_from_directory",
     "text_dataset_from_directory", "audio_dataset_from_directory", "PyDataset", "extract_archive",
     "run_script", "system")
)  # fmt: skip
_FUNCTION = ("function", "__lambda__")


def audit_config(text: str | bytes, file: str) -> Iterator[Finding]:
    """Yield what a JSON config (or a piece of metadata) makes Keras do; nothing for other JSON."""
    try:
        root = json.loads(text)
    except RecursionError:
        yield _finding("config", "", "unknown", "is nested too deeply to be looked into",
                       "keras-config", file)  # fmt: skip
        return
    except ValueError:
        why = "is no JSON: nobody can say what Keras would make of it"
        yield _finding("config", "", "unknown", why, "keras-config", file)
        return
    waiting: list[tuple[str, Any]] = [("", root)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            yield from _audit_object(value, path, file)
            items = [(f"{path}.{key}" if path else str(key), v) for key, v in value.items()]
        elif isinstance(value, list):
            items = [(f"{path}[{at}]", inner) for at, inner in enumerate(value)]
        else:
            continue
        waiting.extend(item for item in reversed(items) if isinstance(item[1], (dict, list)))


def _audit_object(value: Mapping[str, Any], path: str, file: str) -> Iterator[Finding]:
    """Judge one {"class_name", "module", "config", ...}."""
    name = value.get("class_name")
    if not isinstance(name, str):
        return
    config = value.get("config")
    inner = config if isinstance(config, dict) else {}
    node = f"{path} ({inner['name']})" if isinstance(inner.get("name"), str) else path
    module = value.get("module")
    if name in _LAMBDAS and ("function" in inner or "function_type" in inner):
        yield _lambda(inner, node, file)
    elif name == "__lambda__":
        why = "runs Python bytecode that the config holds, when Keras loads it"
        yield _finding(name, node, "critical", why, "keras-lambda", file)
    elif name in _OP_LAMBDAS:
        yield from _op_lambda(name, inner, node, file)
    if name in _VOCABULARIES and isinstance(inner.get("vocabulary"), str):
        why = f"reads the file {inner['vocabulary']!r} as a vocabulary, when Keras loads it"
        yield _finding(name, node, "high", why, "keras-file", file)
    if isinstance(module, str) and module:
        yield from _module(module, name, value, node, file)
    elif ">" in name:
        why = "is a class that the loading program has to register; nothing is imported for it"
        yield _finding(name, node, "note", why, "keras-custom", file)


def _lambda(config: Mapping[str, Any], node: str, file: str) -> Finding:
    function = config.get("function")
    kinds = {config.get(key) for key in ("function_type", "output_shape_type", "mask_type")}
    kinds &= {"lambda", "raw", "function"}
    holds_code = isinstance(function, list) or "lambda" in kinds
    if isinstance(function, dict):
        holds_code |= function.get("class_name") == "__lambda__"
        function = function.get("config")
    if holds_code:
        why = "runs Python bytecode that the config holds, when Keras loads it"
        return _finding("Lambda", node, "critical", why, "keras-lambda", file)
    why = f"calls the function {function!r}, which the loading program has to supply"
    return _finding("Lambda", node, "unknown", why, "keras-lambda", file)


def _op_lambda(name: str, config: Mapping[str, Any], node: str, file: str) -> Iterator[Finding]:
    """Judge a layer that calls a TensorFlow function by its exported name."""
    symbol = str(config.get("function") or config.get("cls_symbol") or config.get("symbol") or "")
    last = symbol.rpartition(".")[2]
    if last in _GADGETS or last in EFFECTS or symbol.startswith(("io.gfile", "summary.")):
        why = f"calls tf.{symbol}"
        yield _finding(name, node, "critical", why, "keras-function", file)


def _module(
    module: str, name: str, value: Mapping[str, Any], node: str, file: str
) -> Iterator[Finding]:
    """Judge a class or function that Keras imports by module and name."""
    root = module.partition(".")[0]
    symbol = value.get("config") if name in _FUNCTION else name
    shown = f"{module}.{symbol}" if isinstance(symbol, str) else f"{module}.{name}"
    if name == "function" and module == "builtins":
        return  # Keras writes every function so; it looks the name up among its own
    if root in _OWN:
        if isinstance(symbol, str) and symbol.rpartition(".")[2] in _GADGETS:
            why = f"calls {shown}, which reaches files or the network or switches the guard off"
            yield _finding(name, node, "critical", why, "keras-function", file)
    elif root == "__main__" or root in _KERAS_FAMILY:
        why = f"needs {shown}, which the loading program has to supply"
        yield _finding(name, node, "note", why, "keras-custom", file)
    elif root in sys.stdlib_module_names:
        why = f"imports and calls {shown} of the Python library, when Keras loads it"
        yield _finding(name, node, "critical", why, "keras-module", file)
    else:
        why = f"imports {shown}, a foreign module, when Keras loads it"
        yield _finding(name, node, "unknown", why, "keras-module", file)


def _finding(op: str, node: str, severity: Severity, why: str, rule: str, file: str) -> Finding:
    return Finding(op, node or "(root)", None, severity, why, rule, file)
