"""Pages on which managers import the lists of another system."""
