"""The search parameters of each type: https://hl7.org/fhir/R4/searchparameter-registry.html"""
