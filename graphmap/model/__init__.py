"""Frozen domain types: what every floor above talks about."""
