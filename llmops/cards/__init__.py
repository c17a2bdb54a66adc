"""Data sets: their cards, their files, and what their rows are held to."""
