"""Learning: a reader's own copies of the notebooks, kept apart from the source."""
