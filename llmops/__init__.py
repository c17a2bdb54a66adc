"""Evaluate and monitor applications built on language models."""
