"""Views of the pages about a patient for staff."""
