"""What a noun looks like as FHIR R4 JSON, in and out. No HTTP, and nothing is saved."""
