"""What other tools have recorded, as data sets with answers."""
