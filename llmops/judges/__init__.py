"""Judges: models, juries and functions that say how good an answer is."""
