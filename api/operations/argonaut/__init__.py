"""Operations as Argonaut Scheduling and IHE define them.

http://fhir.org/guides/argonaut-scheduling and https://profiles.ihe.net/ITI/Scheduling
"""
