"""Parsers and renderers of FHIR JSON and XML."""
