"""MLflow, written and read here: no other package names it."""
