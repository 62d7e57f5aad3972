"""Race numbers as an official types them: 301, 305-310. Pure."""

import re

MOST = 1000


def read_numbers(text: str) -> list[int]:
    """The numbers in order, each once; of a range those between, too.

    Raises ValueError with the part that is none, for a range backwards, and for more than a thousand.
    """
    found: dict[int, None] = {}
    for part in filter(None, re.split(r"[\s,;]+", re.sub(r"\s*[-–]\s*", "-", text.strip()))):
        ends = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", part)
        if ends is None:
            raise ValueError(part)
        low, high = int(ends[1]), int(ends[2] or ends[1])
        if high < low or high - low + len(found) >= MOST:
            raise ValueError(part)
        found |= dict.fromkeys(range(low, high + 1))
    return list(found)
