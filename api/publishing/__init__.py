"""Free times as public files: https://hl7.org/fhir/uv/smart-scheduling-links (0.1.0 and 1.0.0-ballot), and vaccinations
in the older form of https://github.com/smart-on-fhir/smart-scheduling-links (2023).

They need no token and contain no patient: taken time is published only as taken.
"""
