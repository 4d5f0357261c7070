"""Pages on which owners download everything as FHIR."""
