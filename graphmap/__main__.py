"""`python -m graphmap`."""

from graphmap.cli.app import run

run()
