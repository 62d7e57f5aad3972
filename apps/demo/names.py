"""What the demo's rows are known by, so that it can find them again and nothing else."""

SLUG = "rally-albania-2026"
ORGANIZATION = ("Motorsport Club Albania", "msc-albania")
ADMIN = "admin@demo.invalid"
DIRECTOR = "director@demo.invalid"
TIMEKEEPER = "timekeeper@demo.invalid"
CREW_DOMAIN = "crew.demo.invalid"
