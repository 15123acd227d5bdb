"""Many artifacts at once: finding them under folders, a row for each, on one machine or many."""
