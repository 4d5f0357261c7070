"""Definitions of this server: https://hl7.org/fhir/R4/conformance-module.html"""
