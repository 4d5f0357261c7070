"""SMART App Launch 2.2 on django-oauth-toolkit: https://hl7.org/fhir/smart-app-launch/

Who signs software in and where (`validator`, `assertions`, `endpoints`), what it can learn beforehand (`discovery`) and
about a token (`introspection`). What a token may do is scheduling.access's; where a person allows an app, portal's.
"""
