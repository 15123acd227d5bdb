"""A SavedModel folder under other names."""

from __future__ import annotations

import os

from graphmap.errors import UsageError
from graphmap.rewrite.bundles import stage_bundle
from graphmap.rewrite.graph_files import saved_model_bytes
from graphmap.rewrite.request import RewriteRequest
from graphmap.rewrite.saved_folder import SavedFolder
from graphmap.rewrite.staging import Staging
from graphmap.rewrite.targets import refuse

__all__ = ["rewrite_saved_model"]


def rewrite_saved_model(request: RewriteRequest) -> tuple[str, ...]:
    """Write a SavedModel folder: graphs and checkpoint anew, all else as it is."""
    stored, out, settings = request.stored, request.out, request.settings
    folder = str(stored.saved_model_dir)
    if request.plan.dropped:
        raise UsageError(
            "a SavedModel needs all of its variables",
            where=stored.path,
            remedy="Leave --only and --no-slots out, or rename its variables/variables alone.",
        )
    refuse(out, folder, force=settings.force)
    with SavedFolder(folder, out, settings) as copy:
        for name in ("saved_model.pb", "saved_model.pbtxt"):
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                copy.write(name, saved_model_bytes(path, request))
        with Staging(sync=settings.sync) as staging:
            if stored.prefix is not None:
                target = os.path.join(copy.folder, "variables", "variables")
                staging.make_folder(target)
                stage_bundle(staging, request, stored.prefix, target)()
            staging.commit()
        copy.commit()
    return (out,)
