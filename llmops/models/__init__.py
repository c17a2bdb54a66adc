"""Models: each kind turns a Request into a Reply, and wrappers add store, retries, ledger, limits."""
