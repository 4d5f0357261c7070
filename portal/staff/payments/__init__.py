"""The page with what was taken at the desk on a day, with which the front desk checks its cash."""
