"""The verbs: each reads files, calls nouns, writes files."""
