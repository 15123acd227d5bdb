"""A V2 checkpoint under other names, with its graph file beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from graphmap.formats.bundle import OBJECT_GRAPH_KEY, Bundle, read_bundle
from graphmap.rewrite.checkpoint import stage_checkpoint
from graphmap.rewrite.names import checkpoint_keys
from graphmap.rewrite.request import RewriteRequest
from graphmap.rewrite.staging import Staging
from graphmap.rewrite.targets import refuse, remove_stale, shards_at

__all__ = ["rewrite_checkpoint", "stage_bundle"]


def rewrite_checkpoint(request: RewriteRequest) -> tuple[str, ...]:
    """Write data files, the graph file where nothing is left out, and the index last."""
    stored, out, settings = request.stored, request.out, request.settings
    prefix = str(stored.prefix)
    with_graph = stored.meta_path is not None and not request.plan.dropped
    refuse(f"{out}.index", f"{prefix}.index", force=settings.force)
    if with_graph:
        refuse(f"{out}.meta", str(stored.meta_path), force=settings.force)
    taken = shards_at(out)
    with Staging(sync=settings.sync) as staging:
        staging.make_folder(out)
        write_index = stage_bundle(staging, request, prefix, out, taken)
        written = staging.targets
        if with_graph:
            from graphmap.rewrite.graph_files import graph_bytes  # needs protobuf

            staging.write(f"{out}.meta", [graph_bytes(request)])
        write_index()
        targets = staging.targets
        staging.commit()
    remove_stale(out, taken, written)
    return targets


def stage_bundle(
    staging: Staging, request: RewriteRequest, prefix: str, out: str, taken: int | None = None
) -> Callable[[], None]:
    """Write the data files of a checkpoint at `out`; return what writes its index."""
    staging.watch(f"{prefix}.index")
    bundle = read_bundle(prefix)
    full_names = _full_names(bundle)
    variables, plan = request.variables, request.plan
    keys = checkpoint_keys(variables, plan, full_names)
    by_key = {v.checkpoint_key: v.name for v in variables if v.checkpoint_key is not None}
    new_full_names = {
        key: new
        for key, name in full_names.items()
        if (new := plan.first(by_key.get(key, name))) is not None and new != name
        and by_key.get(key) == name
    }  # fmt: skip
    moved = {old: new[0] if new else None for old, new in keys.items()}

    def object_graph(data: bytes) -> bytes:
        from graphmap.rewrite.object_graph import rewrite_object_graph

        return rewrite_object_graph(data, new_full_names, moved)

    return stage_checkpoint(
        staging,
        bundle,
        out,
        lambda key: keys.get(key, (key,)),
        object_graph,
        link=request.settings.link,
        compact=request.settings.compact,
        taken=taken,
    )


def _full_names(bundle: Bundle) -> Mapping[str, str]:
    if not bundle.has_object_graph:
        return {}
    from graphmap.formats.object_graph import parse_object_graph
    from graphmap.formats.values import BundleValues

    (data,) = BundleValues(bundle).read_strings(OBJECT_GRAPH_KEY)
    return parse_object_graph(data).full_names
