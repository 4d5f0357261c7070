"""Pages about a patient for staff: who they are, their visits, messages and payments, and internal notes."""
