"""A suite's report, a format a file."""
