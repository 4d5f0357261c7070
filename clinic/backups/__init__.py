"""Backups of the database: files of pg_dump, each with a manifest, and their restoring."""
