"""Django's database backend for PostgreSQL, which divides large writes: DATABASES names it."""
