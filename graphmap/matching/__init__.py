"""Expected and actual names -> a name map: roles, templates, candidates, assignment, abstention."""

from graphmap.matching.pipeline import match_variables
from graphmap.matching.settings import DEFAULTS, MatchSettings, Side
from graphmap.matching.suggest import rank_candidates

__all__ = [
    "DEFAULTS",
    "MatchSettings",
    "Side",
    "match_variables",
    "rank_candidates",
]
