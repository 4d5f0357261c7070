"""The files of npm packages that pages use. The packages are installed, not in the repository."""

from pathlib import Path

CALENDAR = ("event-calendar.min.js", "event-calendar.min.js.map", "event-calendar.min.css")
CHARTS = ("chart.umd.min.js", "chart.umd.min.js.map")


def packages(folder: Path) -> dict[str, tuple[Path, tuple[str, ...]]]:
    """Return the folder of each package below `folder`, and those of its files that pages use, by prefix."""
    return {
        "vendor/event-calendar": (folder / "@event-calendar" / "build" / "dist", CALENDAR),
        "vendor/chart": (folder / "chart.js" / "dist", CHARTS),
    }
