"""The tests on other days: `make check-dates` runs them with the clocks of Python, PostgreSQL and Redis shifted."""
