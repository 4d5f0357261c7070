"""Connections to PostgreSQL whose large writes are divided into statements that PostgreSQL accepts."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql import base, features, operations

# Of a statement whose values the server binds: https://www.postgresql.org/docs/current/limits.html
MOST_PARAMETERS = 2**16 - 1


class DatabaseFeatures(features.DatabaseFeatures):
    max_query_params = MOST_PARAMETERS


class DatabaseOperations(operations.DatabaseOperations):
    def bulk_batch_size(self, fields: Sequence[Any], objs: Sequence[Any]) -> int:
        """Return how many rows one statement writes at most. Django up to 5.2 asks for any number at once.

        A field counts twice, because `bulk_update` names the row beside each new value.
        """
        return MOST_PARAMETERS // (2 * len(fields)) if fields else len(objs)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's backend for PostgreSQL with values bound by the server."""

    features_class = DatabaseFeatures
    ops_class = DatabaseOperations
