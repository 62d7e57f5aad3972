"""What the scorer wrote about a result, taken apart again: which end of which segment is in doubt, and what is not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ENDS = ("start", "finish")


@dataclass(frozen=True, slots=True)
class Doubtful:
    """An end of a segment whose time is in doubt ("" for the segment as a whole), and why."""

    segment: str
    end: str
    words: tuple[str, ...]


def doubtful(segments: Sequence[Mapping[str, Any]]) -> Iterator[Doubtful]:
    """Each end of each segment with anything to review; `segments` as a stage outcome keeps them."""
    for segment in segments:
        said: dict[str, list[str]] = {}
        for text in segment.get("reviews") or ():
            end, _, words = str(text).partition(": ")
            said.setdefault(end if end in ENDS and words else "", []).append(words if end in ENDS and words else text)
        for end, texts in said.items():
            yield Doubtful(str(segment["segment"]), end, tuple(texts))


def other_conflicts(conflicts: Sequence[str], segments: Sequence[Mapping[str, Any]]) -> list[str]:
    """The sentences that are not about the time of a segment's end."""
    known = {f"{segment['segment']}: {text}" for segment in segments for text in segment.get("reviews") or ()}
    return [text for text in conflicts if text not in known]
