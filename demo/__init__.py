"""The clinic with invented data, on one machine (`make demo`). Nothing of the product imports it.

`supervisor` starts PostgreSQL and Redis (`embedded`), the web server, the worker and the clock. The command `seed_demo`
fills an empty database with the tables of `seed`. As a Django app, which settings.DEMO installs, it shows at
/demo/messages/ the email and text messages that the demo keeps.
"""
