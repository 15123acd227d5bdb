"""Evidence: one rule a file, each in the tuple EVIDENCE."""
