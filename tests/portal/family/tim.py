"""Tim, six years old, as entered by his carer."""

TIM = {
    "given": "Tim",
    "family": "Quinn",
    "birth_date_day": "1",
    "birth_date_month": "2",
    "birth_date_year": "2020",
    "relationship": "PRN",
}
