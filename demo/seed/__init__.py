"""Rows of the demo clinic: tables of invented people, places, services and visits, and the code that saves them."""
