"""Every dataset of an HDF5 file, and what the attributes of its groups say about them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphmap.formats.hdf5_file import LinkAway

__all__ = ["Found", "walk"]

_MAX_DEPTH = 64
_OWN_LAYOUTS = (0, 1, 2)  # compact, contiguous, chunked (IV.A.2.i); 3 is virtual
_EXTERNAL = 0x0007  # the message "External Data Files" (format specification IV.A.2.h)


class Found:
    """What a walk found.

    datasets: by path. elsewhere: paths whose bytes lie in other files. names: {path: what
    `weight_names` calls it}. weight_lists: {group: paths} as that attribute orders them.
    layer_names: {group: the `name` of its `vars`}. layers: the attribute `layer_names`.
    addresses: {group or dataset: offset of its header}.
    """

    def __init__(self) -> None:
        self.datasets: dict[str, Any] = {}
        self.elsewhere: set[str] = set()
        self.names: dict[str, str] = {}
        self.weight_lists: dict[str, tuple[str, ...]] = {}
        self.layer_names: dict[str, str] = {}
        self.layers: list[str] = []
        self.addresses: dict[str, int] = {}
        self.warnings: list[str] = []


def walk(file: Any) -> Found:
    """Walk all groups; raises whatever pyfive does."""
    found = Found()
    _group(file, "", 0, set(), found)
    return found


def _group(group: Any, path: str, depth: int, seen: set[int], found: Found) -> None:
    """Note what is below a group, whose path ends in a slash or is empty.

    A group that is linked twice is walked once: links can make a circle.
    """
    if depth > _MAX_DEPTH:
        found.warnings.append(f"{path}: groups deeper than {_MAX_DEPTH} are not read")
        return
    _attributes(group, path, found)
    for name in sorted(group):
        if isinstance(group._links.get(name), LinkAway):
            found.warnings.append(f"{path}{name}: is a link to another file, which is not opened")
            continue
        try:
            child = group[name]
        except RecursionError:
            raise
        except (KeyError, NotImplementedError, RuntimeError) as cause:
            found.warnings.append(f"{path}{name}: cannot be read ({cause})")
            continue
        if child is None:
            found.warnings.append(f"{path}{name}: is a link to nothing")
            continue
        address = group._links.get(name)
        if isinstance(address, int):
            found.addresses[f"{path}{name}"] = address
        if hasattr(child, "keys"):
            if isinstance(address, int):
                if address in seen:
                    continue
                seen.add(address)
            _group(child, f"{path}{name}/", depth + 1, seen, found)
        elif hasattr(child, "shape"):
            found.datasets[f"{path}{name}"] = child
            if _is_elsewhere(child):
                found.elsewhere.add(f"{path}{name}")
                found.warnings.append(
                    f"{path}{name}: its value lies elsewhere, which is not opened"
                )


def _attributes(group: Any, path: str, found: Found) -> None:
    attributes = group.attrs
    words = _texts(attributes.get("weight_names", ()))
    if words:
        found.names.update((f"{path}{word}", word.removesuffix(":0")) for word in words)
        found.weight_lists[path[:-1]] = tuple(f"{path}{word}" for word in words)
    if path in ("", "model_weights/"):
        found.layers += [f"{path}{name}" for name in _texts(attributes.get("layer_names", ()))]
    if path == "vars/" or path.endswith("/vars/"):
        told = attributes.get("name")
        if isinstance(told, (str, bytes)):
            found.layer_names[path[: -len("/vars/")]] = _text(told)


def _texts(words: Any) -> list[str]:
    return [_text(word) for word in words] if isinstance(words, Iterable) else []


def _text(word: Any) -> str:
    return word.decode("utf-8", "backslashreplace") if isinstance(word, bytes) else str(word)


def _is_elsewhere(dataset: Any) -> bool:
    """Tell whether the bytes of a dataset are those of others: a virtual layout, external files.

    pyfive looks for neither when it reads: it would return memory as it finds it, or zeros.
    """
    if dataset.id.layout_class not in _OWN_LAYOUTS:
        return True
    address = dataset.parent._links.get(dataset.name.rpartition("/")[2])
    if not isinstance(address, int):
        return False
    return bool(dataset.file._get_dataobjects(address).find_msg_type(_EXTERNAL))
