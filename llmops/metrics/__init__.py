"""Metrics: columns of answers and targets to one value for each."""
