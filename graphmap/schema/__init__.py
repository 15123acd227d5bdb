"""TODO docstring: owner writes it."""
