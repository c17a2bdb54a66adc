"""Estimates with their intervals, paired differences, and what may be decided from them."""
