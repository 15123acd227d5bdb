"""Files that hold names and values together, under other names: safetensors, HDF5, V1."""

from __future__ import annotations

from graphmap.errors import UsageError
from graphmap.formats.safetensors import INDEX_SUFFIX
from graphmap.rewrite.names import checkpoint_keys
from graphmap.rewrite.request import RewriteRequest
from graphmap.rewrite.safetensors import stage_safetensors, stage_sharded
from graphmap.rewrite.staging import Staging
from graphmap.rewrite.targets import refuse, remove_stale, shards_at
from graphmap.rewrite.writers import write_checkpoint

__all__ = ["rewrite_container", "rewrite_first_generation"]


def rewrite_first_generation(request: RewriteRequest) -> tuple[str, ...]:
    """Write a V1 checkpoint as V2: its table holds values, so they are read and written anew."""
    stored, plan, out, settings = request.stored, request.plan, request.out, request.settings
    keys = checkpoint_keys(request.variables, plan, {})
    values = stored.values
    assert values is not None  # every V1 reader gives them
    source = stored.prefix or str(stored.container)
    refuse(f"{out}.index", source, force=settings.force)
    taken = shards_at(out)
    with Staging(sync=settings.sync) as staging:
        staging.make_folder(out)
        if stored.meta_path is not None and not plan.dropped:
            from graphmap.rewrite.graph_files import graph_bytes  # needs protobuf

            refuse(f"{out}.meta", stored.meta_path, force=settings.force)
            staging.write(f"{out}.meta", [graph_bytes(request)])
        pairs = ((new, values.read(old)) for old in sorted(keys) for new in keys[old])
        write_checkpoint(staging, out, [], pairs, {})
        targets = staging.targets
        staging.commit()
    remove_stale(out, taken, targets)
    return targets


def rewrite_container(request: RewriteRequest) -> tuple[str, ...]:
    """Write a safetensors file, several with their index, or an HDF5 file."""
    stored, out, settings = request.stored, request.out, request.settings
    source = str(stored.container)
    refuse(out, source, force=settings.force)
    keys = checkpoint_keys(request.variables, request.plan, {})

    def new_keys(key: str) -> tuple[str, ...]:
        return keys.get(key, (key,))

    with Staging(sync=settings.sync) as staging:
        staging.make_folder(out)
        if stored.kind == "keras-h5":
            from graphmap.rewrite.hdf5 import stage_hdf5  # others need no h5py

            stage_hdf5(staging, stored, out, new_keys)
        elif not source.endswith(INDEX_SUFFIX):
            stage_safetensors(staging, source, out, new_keys)
        elif out.endswith(INDEX_SUFFIX):
            stage_sharded(staging, source, out, new_keys)
        else:
            raise UsageError(
                "is no name for the index of several files",
                where=out,
                remedy=f"Let it end in {INDEX_SUFFIX}",
            )
        targets = staging.targets
        staging.commit()
    return targets
