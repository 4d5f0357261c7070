"""Views of a patient's own details and data."""
