"""Pages on which managers set up the clinic, and the list of what they set rarely."""
