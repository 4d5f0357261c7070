"""Several clinics in one installation: a database, a role, a settings file and processes for each.

`python -m deploy.clinics --help` lists the commands.
"""
