"""What is received and sent, in each of the forms there are."""
