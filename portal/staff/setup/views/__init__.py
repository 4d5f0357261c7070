"""Views of the set-up."""
