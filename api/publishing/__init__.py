"""Free times for everybody, as files: https://hl7.org/fhir/uv/smart-scheduling-links (0.1.0), and vaccinations in the
older form of https://github.com/smart-on-fhir/smart-scheduling-links (2023).

No token is asked for, and nobody's visit is told of: of time that is taken, only that it is.
"""
