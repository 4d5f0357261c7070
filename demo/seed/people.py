"""The demo's people: who signs in, who comes to the clinic, and what they have booked."""

PASSWORD = "clinic-demo"
CLIENT_ID, CLIENT_SECRET = "demo-system", "demo-system-secret"
# Software that signs in with a key, which whoever tries it makes and shows there: docs/integrate.md.
BACKEND_ID, BACKEND_KEYS = "demo-backend", "http://127.0.0.1:8098/jwks.json"
BACKEND_SCOPES = "system/Schedule.rs system/Slot.rs system/Appointment.rs?status=booked"
# An app of patients, on their own device: it can keep no secret, and any port of theirs will do.
APP_ID, APP_REDIRECT = "demo-app", "http://127.0.0.1/callback"
APP_SCOPES = "launch/patient openid fhirUser offline_access online_access patient/*.cruds user/*.cruds"

USERS = (
    # email, given, family
    ("ada@example.com", "Ada", "Byron"),
    ("bo@example.com", "Bo", "Lindqvist"),
    ("chen@example.com", "Mei", "Chen"),
    ("rana@example.com", "Rana", "Aziz"),
    ("noor@example.org", "Noor", "Grey"),
    ("maya@example.com", "Maya", "Okafor"),
    ("ivo@example.com", "Ivo", "Marek"),
    ("admin@example.com", "Alex", "Reyes"),
)
ADMINISTRATOR = "admin@example.com"
PRACTITIONER = ("chen@example.com", "chen")
FRONT_DESK = ("rana@example.com", "nyc")
# Staff whose roles have no other row.
ROLES = (("maya@example.com", "manager"), ("ivo@example.com", "billing"))
REFERRER = ("noor@example.org", "Harbour Practice")

SIGNED_IN_PATIENTS = (
    # id, given, family, gender, birth date, phone; the email address is that of the user
    ("ada", "Ada", "Byron", "female", "1988-12-10", "(212) 555-0110"),
    ("bo", "Bo", "Lindqvist", "male", "1975-04-02", "(212) 555-0111"),
)

CHECKED = "ada"  # name and birth date

CHILD = ("leo", "Leo", "Byron", "male", "2018-05-17")  # without an address of his own: his mother is told
CARER = ("ada", "PRN", "parent")
INVITATION = ("ada", "noel@example.com")  # to see and book her visits

PAYORS = ("Harbor Health Plan", "Empire Mutual", "Golden State Care", "Union Medical")
COVERAGES = (
    # patient, payor, member number, until when
    ("ada", "Harbor Health Plan", "HHP-4471-2093", "next year"),
    ("leo", "Harbor Health Plan", "HHP-4471-2094", "next year"),
    ("bo", "Empire Mutual", "EM-880317", "run out"),
)
UNINSURED = 4  # every so many of the others
SPANISH = 11  # so is who reads Spanish
GERMAN = 13  # and German
UNCHECKED = 5  # so is whose insurance nobody has checked yet
DOUBLE = 3  # the number of the other patient who was registered twice
STEP_FREE = 9  # so is who needs step-free access

CARE_TEAMS = (
    # patient, name, practitioners
    ("ada", "Diabetes care", ("chen", "morgan")),
)
IN_CARE = 20  # every so many of the others has a team of that name with the first practitioner of it

VISITS = (
    # patient, service, practitioner, days from now, status
    ("ada", "new-patient", "chen", -13, "fulfilled"),
    ("ada", "follow-up", "chen", 3, "booked"),
    ("ada", "travel-health", "okafor", 7, "cancelled"),
    ("leo", "new-patient", "chen", 5, "booked"),
    ("bo", "video-visit", "chen", -8, "fulfilled"),
    ("bo", "ultrasound", "rossi", 4, "booked"),
    ("bo", "follow-up", "haddad", 9, "cancelled"),
)

# Every given name meets four family names.
GIVEN = (
    ("Grace", "female"), ("Omar", "male"), ("Priya", "female"), ("Lucas", "male"), ("Hana", "female"),
    ("Diego", "male"), ("Ruth", "female"), ("Samuel", "male"), ("Ines", "female"), ("Kofi", "male"),
    ("Elena", "female"), ("Tomas", "male"), ("Yuki", "female"), ("Henry", "male"), ("Amina", "female"),
    ("Pavel", "male"), ("Nora", "female"), ("Jamal", "male"), ("Sofia", "female"), ("Walter", "male"),
    ("Mina", "female"), ("Andre", "male"), ("Carmen", "female"), ("Isaac", "male"), ("Lila", "female"),
    ("Viktor", "male"), ("Rosa", "female"), ("Theo", "male"), ("Zara", "female"), ("Miguel", "male"),
    ("Dorothy", "female"), ("Ravi", "male"), ("Clara", "female"), ("Malik", "male"), ("Beatriz", "female"),
    ("Arthur", "male"), ("Naomi", "female"), ("Felix", "male"), ("Joan", "female"), ("Emre", "male"),
)  # fmt: skip
FAMILY = (
    "Adams", "Bauer", "Castillo", "Dubois", "Eriksen", "Fontaine", "Gupta", "Hughes", "Ibrahim", "Jensen",
    "Kowalski", "Lopez", "Mensah", "Nakamura", "Owens", "Petrov", "Quintero", "Rahman", "Sato", "Turner",
)  # fmt: skip
FAMILIES_EACH = 4
