"""FHIR operations on Appointments, one module each: https://www.medplum.com/docs/scheduling

The contract is Medplum's. Where ours differs, it is stricter or says more: see docs/.
"""

from api.operations.registry import OPERATIONS, Operation
from api.operations.urls import operation_urls

__all__ = ["OPERATIONS", "Operation", "operation_urls"]
