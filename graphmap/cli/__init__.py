"""The command line: arguments -> one api call -> printed result -> exit code."""
