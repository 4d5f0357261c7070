"""The second step of signing in: an authenticator app and recovery codes of staff, and passkeys."""
