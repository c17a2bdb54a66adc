"""MLflow, written by the publish stage and read by the dashboard: no other package names it."""
