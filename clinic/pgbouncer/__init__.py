"""Django's database backend behind PgBouncer in transaction mode: the setting PGBOUNCER chooses it."""
