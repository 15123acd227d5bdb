"""An artifact under other names, as new files: `graphmap.rename`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from graphmap.api.artifact import Artifact, as_artifact
from graphmap.errors import NameMapError, UsageError
from graphmap.formats.bundle import OBJECT_GRAPH_KEY
from graphmap.patterns import compile_pattern
from graphmap.rewrite.artifact import rewrite_artifact, target_of
from graphmap.rewrite.plan import NewNames, RenamePlan, plan_renames
from graphmap.rewrite.request import RewriteRequest, RewriteSettings

if TYPE_CHECKING:
    from graphmap.api.name_map import NameMap

__all__ = ["RenameReport", "as_name_map", "read_rules", "rename"]

Rules = Sequence[tuple[str, str]]  # (pattern, replacement)
_USED = ("same", "tied")


class RenameReport(NamedTuple):
    """What was (or, in a dry run, would be) written.

    renamed: {old name: new names}. kept: names that nothing was said of. dropped: left out.
    unresolved: expected names of the map without an answer. written: paths, () in a dry run.
    """

    renamed: Mapping[str, tuple[str, ...]]
    kept: tuple[str, ...]
    dropped: tuple[str, ...]
    unresolved: tuple[str, ...]
    written: tuple[str, ...]


def rename(
    path: Artifact | str | os.PathLike[str],
    name_map: NameMap | Mapping[str, str] | str | os.PathLike[str] | None,
    out: str | os.PathLike[str],
    *,
    only: str | None = None,
    no_slots: bool = False,
    rules: Rules = (),
    prefix: str = "",
    strip: str = "",
    link: bool = False,
    compact: bool = False,
    force: bool = False,
    dry_run: bool = False,
    sync: bool = True,
) -> RenameReport:
    """Write an artifact under the expected names of a map; slots follow their primary.

    name_map: expected -> actual, in any form a map has; None where rules, prefix or strip say it.
    rules: the first pattern that a whole name matches rewrites it. Tensor bytes are copied (linked
    with link=True), never changed. sync=False does not wait for the disk: a kill still leaves old
    or new, a power cut may not. Raises NameMapError that lists all collisions, UsageError where
    `out` exists (force=True replaces it), ArtifactError for a damaged source. Nothing is half
    written.
    """
    artifact = as_artifact(path)
    chosen = None if name_map is None else as_name_map(name_map)
    is_subset = only is not None or no_slots or compact
    new_names, follow = _new_names(artifact, chosen, rules, prefix, strip, is_subset)
    # an object checkpoint keeps its object graph under a name of its own
    variables = tuple(v for v in artifact.variables if v.name != OBJECT_GRAPH_KEY)
    plan = plan_renames(
        variables,
        new_names,
        only=only,
        no_slots=no_slots,
        follow=follow,
        where=artifact.path,
    )
    _check_change(artifact, plan, can_stay=chosen is not None or is_subset)
    target = target_of(artifact.opened.stored, os.fspath(out))
    written: tuple[str, ...] = ()
    if not dry_run:
        settings = RewriteSettings(link, compact, force, sync)
        request = RewriteRequest(artifact.opened.stored, variables, plan, target, settings)
        written = rewrite_artifact(request)
    open_names = () if chosen is None else (*chosen.ambiguous, *chosen.unmatched)
    return RenameReport(
        {old: plan.names[old] for old in plan.renamed},
        plan.kept,
        plan.dropped,
        tuple(decision.expected for decision in open_names),
        written,
    )


def read_rules(path: str) -> list[tuple[str, str]]:
    """Read rules, one a line: PATTERN, blanks, REPLACEMENT; raises UsageError."""
    from graphmap.files import read_file

    rules = []
    text = read_file(path, 1 << 24).decode("utf-8", "replace")
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2:
            raise UsageError(
                f"line {number} is no rule", where=path, remedy="Write PATTERN REPLACEMENT."
            )
        rules.append((words[0], words[1]))
    return rules


def as_name_map(name_map: NameMap | Mapping[str, str] | str | os.PathLike[str]) -> NameMap:
    """Take a map in any form: a NameMap, {expected: actual}, or the path of a map.json."""
    from graphmap.api.name_map import NameMap  # rules and scopes need none of it

    if isinstance(name_map, NameMap):
        return name_map
    if isinstance(name_map, Mapping):
        return NameMap.from_dict(name_map)
    return NameMap.load(name_map)


def _new_names(
    artifact: Artifact,
    name_map: NameMap | None,
    rules: Rules,
    prefix: str,
    strip: str,
    is_subset: bool,
) -> tuple[NewNames, bool]:
    """Return what names a variable, and whether slots follow their primary."""
    if name_map is not None:
        if rules or prefix or strip:
            raise UsageError(
                "a map and rules cannot both say the names", remedy="Give one of them."
            )
        return _by_map(artifact, name_map), True
    if rules:
        return _by_rules(rules), True
    if not (prefix or strip or is_subset):
        raise UsageError(
            "nothing says the new names", remedy="Give --map, --rules, --prefix or --strip."
        )

    def by_scope(name: str) -> tuple[str, ...] | None:
        new = prefix + name.removeprefix(strip)
        return None if new == name else (new,)

    return by_scope, False


def _check_change(artifact: Artifact, plan: RenamePlan, *, can_stay: bool) -> None:
    """Raise UsageError where no variable would be left, or rules and scopes fit none."""
    if plan.names and len(plan.dropped) == len(plan.names):
        raise UsageError(
            "no variable would be left", where=artifact.path, remedy="Check --only and --no-slots."
        )
    if plan.names and not (plan.renamed or can_stay):  # where there are none, there is no mistake
        raise UsageError(
            f"none of {len(plan.names)} names would change",
            where=artifact.path,
            remedy="Check the names with graphmap inspect; a rule has to fit a whole name.",
        )


def _by_map(artifact: Artifact, name_map: NameMap) -> NewNames:
    moved = [d for d in name_map.matched if d.layout not in _USED]
    if moved:
        raise NameMapError(
            f"{len(moved)} names have a layout that changes values, the first is "
            f"{moved[0].expected} ({moved[0].layout})",
            where=artifact.path,
            remedy="Use graphmap convert, which applies layouts.",
        )
    new: dict[str, list[str]] = {}
    known = {variable.name: variable.name for variable in artifact.variables}
    for variable in artifact.variables:
        if variable.checkpoint_key is not None:
            known.setdefault(variable.checkpoint_key, variable.name)
    absent = [d for d in name_map.matched if d.actual not in known]
    if absent:
        raise NameMapError(
            f"names {len(absent)} variables that are not there, the first is {absent[0].actual}",
            where=artifact.path,
            remedy="Make a map for this artifact: graphmap match",
        )
    for decision in name_map.matched:
        new.setdefault(known[str(decision.actual)], []).append(decision.expected)
    return lambda name: tuple(new[name]) if name in new else None


def _by_rules(rules: Rules) -> NewNames:
    compiled = [(compile_pattern(pattern, pattern), replacement) for pattern, replacement in rules]

    def by_rule(name: str) -> tuple[str, ...] | None:
        for pattern, replacement in compiled:
            found = pattern.fullmatch(name)
            if found:
                try:
                    return (found.expand(replacement),)
                except (re.error, IndexError) as cause:
                    raise UsageError(
                        f"the replacement {replacement!r} does not fit its pattern ({cause})",
                        where=pattern.pattern,
                        remedy="Name groups that the pattern has, such as \\1.",
                    ) from cause
        return None

    return by_rule
