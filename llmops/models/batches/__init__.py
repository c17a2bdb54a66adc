"""Requests sent in batches, through a provider's files and batches endpoints."""
