"""Drill of an installation: every part of it is killed at random, again and again, while clients book.

`make drill` runs it. At the end the rows, the mail and the logs are compared with what the clients were told.
"""
