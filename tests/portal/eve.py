"""Eve Stone, a new patient: her input as a guest or for an account, and her record."""

from datetime import date

PERSON = {
    "given": "Eve",
    "family": "Stone",
    "birth_date_day": "27",
    "birth_date_month": "3",
    "birth_date_year": "1985",
    "email": "eve@example.com",
}
SIGN_UP = {**PERSON, "password1": "correct-horse-battery"}
GUEST = {**PERSON, "phone": "+1 212 555 0199", "language": "es"}
KNOWN = {"given": "Eve", "family": "Stone", "birth_date": date(1985, 3, 27), "email": "Eve@Example.com"}
