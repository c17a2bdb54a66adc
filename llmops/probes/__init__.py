"""What a model entry of params.yaml can do, found out by asking."""
