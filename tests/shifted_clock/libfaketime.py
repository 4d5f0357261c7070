"""libfaketime: found, installed, and changed so that waits keep their length.

https://github.com/wolfcw/libfaketime
"""

import os
import subprocess
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

PLACES = ("/usr/lib/*/faketime", "/usr/lib*/faketime", "/usr/local/lib*/faketime")
# A symbol without section and value is undefined here; the next library defines it. See Elf64_Sym in elf(5).
SECTION_AND_VALUE = range(6, 16)
WAITS = (
    *("clock_nanosleep", "nanosleep", "sleep", "usleep"),
    *("epoll_pwait", "epoll_wait", "poll", "ppoll", "pselect", "select"),
)


def find() -> Path | None:
    """Return libfaketime for programs with threads, or None if it is not installed."""
    root = Path("/")
    found = (path for place in PLACES for path in sorted(root.glob(f"{place[1:]}/libfaketimeMT.so.1")))
    return next(found, None)


def install() -> Path | None:
    """Install it if no question needs an answer: as root, on Debian and its derivatives."""
    if os.geteuid() == 0 and Path("/usr/bin/apt-get").exists():
        script = "apt-get update -qq && apt-get install -y -qq --no-install-recommends faketime"
        print("Installing faketime ...", flush=True)
        subprocess.run(["sh", "-c", script], env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
    return find()


def copy_without_waits(library: Path, directory: Path) -> Path:
    """Write a copy that replaces no function that waits, and return its path.

    A shift changes no length of time, so nothing that waits needs to know of it. And libfaketime's own functions do
    harm: a signal handler that reads the clock during one gets the real time, so that PostgreSQL's lock and deadlock
    timeouts never end; and the monotonic deadline of Python's sleep is taken for a time of the shifted clock.
    """
    with library.open("rb") as file:
        symbols = ELFFile(file).get_section_by_name(".dynsym")
        assert isinstance(symbols, SymbolTableSection)
        waits = [number for number, symbol in enumerate(symbols.iter_symbols()) if symbol.name in WAITS]
        entries = [symbols["sh_offset"] + number * symbols["sh_entsize"] for number in waits]
    content = bytearray(library.read_bytes())
    for entry in entries:
        content[entry + SECTION_AND_VALUE.start : entry + SECTION_AND_VALUE.stop] = bytes(len(SECTION_AND_VALUE))
    copy = directory / library.name
    copy.write_bytes(content)
    return copy
