"""The page with what was taken at the desk on a day, by which the front desk counts its cash."""
