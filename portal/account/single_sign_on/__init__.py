"""Single sign-on of staff by the OpenID Connect provider of the clinic."""
