"""Pages on which managers invite staff and change their accounts."""
