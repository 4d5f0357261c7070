"""Exit with 0 if the web server in this container answers, else with 1; the HEALTHCHECK of the Dockerfile.

It imports nothing of Django, because it runs every few seconds.
"""

import os
import sys
from urllib.request import Request, urlopen

TIMEOUT = 4  # seconds


def main() -> None:
    host = os.environ["ALLOWED_HOSTS"].split(",")[0].strip()  # others are refused
    address = f"http://127.0.0.1:{os.environ.get('GRANIAN_PORT', '8000')}/healthz"
    try:
        urlopen(Request(address, headers={"Host": host}), timeout=TIMEOUT).close()
    except OSError as error:
        sys.exit(f"{address}: {error}")


if __name__ == "__main__":
    main()
