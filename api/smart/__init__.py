"""SMART App Launch 2.2 on django-oauth-toolkit: https://hl7.org/fhir/smart-app-launch/

Sign-in of software (`validator`, `assertions`, `endpoints`), `discovery`, and `introspection` of tokens.
scheduling.access decides what a token may do; the pages on which a person allows an app are in portal.oauth.
"""
