"""The response store: replies by their key, on disk."""
