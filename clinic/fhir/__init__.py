"""The FHIR R4 JSON and XML of each model, read and written. Nothing is saved, and nothing is known of HTTP."""
