"""What this server says of itself: https://hl7.org/fhir/R4/conformance-module.html"""
