"""Rule files: YAML or JSON in and out, and those that are shipped."""

import json
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import msgspec
import yaml

from apps.common import foreign
from apps.common.said import Listed, Said, about, phrased
from apps.penalties.profiles.schema import FILE, Profile, RulesError, parse

SHIPPED = Path(__file__).parent
MOST_BYTES = 1_000_000
# The least of YAML 1.1, which would read 1:30:00 as a number, `no` as false and 2026-11-21 as a date.
PLAIN = {
    "bool": (r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    "null": (r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    "int": (r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    "float": (r"^[-+]?[0-9]+\.[0-9]*(?:[eE][-+][0-9]+)?$", "-+0123456789"),
}


class _Loader(yaml.SafeLoader):
    """YAML without surprises: plain values, a key once, no aliases."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem=Said("aliases are not taken"), problem_mark=self.get_mark())
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: list[Any] = []
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=_twice(key.value), problem_mark=key.start_mark)
            seen.append(key.value)
        return super().construct_mapping(node, deep)


for _kind, (_pattern, _first) in PLAIN.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(_pattern), list(_first))


# Line breaks to YAML: folded like one in plain or single-quoted text, they would be read back as spaces.
BREAKS = frozenset("\x85\u2028\u2029")


class _Dumper(yaml.SafeDumper):
    """Writes texts so that they are read back as they were."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style='"' if BREAKS & set(text) else None)


_Dumper.add_representer(str, _Dumper.represent_text)


def shipped() -> dict[str, Path]:
    """The files of the profiles that come with TRM, by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.yaml"))}


def load_shipped(name: str) -> Profile:
    """A shipped profile. RulesError names the profiles there are."""
    path = shipped().get(name)
    if path is None:
        text = Said("no profile named %(given)s; there are %(known)s", given=repr(name), known=", ".join(shipped()))
        raise RulesError([text])
    return load_file(path)


def load_file(path: Path) -> Profile:
    """The profile in a .yaml, .yml or .json file. RulesError names file, path and reason."""
    try:
        return loads(path.read_bytes(), path.suffix)
    except OSError as error:
        raise RulesError([about(path, error.strerror)]) from error
    except RulesError as error:
        raise RulesError([about(path, reason) for reason in error.reasons]) from error


def loads(data: bytes, suffix: str) -> Profile:
    """A profile from the bytes of a file whose name ends with `suffix`. RulesError names path and reason."""
    if len(data) > MOST_BYTES:
        text = Said("%(bytes)s bytes, a rule file has at most %(most)s", bytes=len(data), most=MOST_BYTES)
        raise RulesError([about(FILE, text)])
    try:
        plain = _read_json(data) if _is_json(suffix) else yaml.load(data, _Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RulesError([_unreadable(error)]) from error
    return parse(plain)


def _unreadable(error: Exception) -> Said:
    """Where a file stops being YAML or JSON, and why."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark, why = error.problem_mark, error.problem
        return about(_place(mark.line + 1, mark.column + 1), why if isinstance(why, Said) else _of_yaml(why))
    if isinstance(error, json.JSONDecodeError):
        return about(_place(error.lineno, error.colno), phrased(error.msg, foreign.JSON))
    if isinstance(error, RecursionError):
        return about(FILE, Said("its values are nested too deep"))
    if isinstance(error, UnicodeError):
        return about(FILE, Said("a text is no Unicode: %(why)s", why=error))
    why = error.args[0] if error.args else ""
    return about(FILE, why if isinstance(why, Said) else _of_yaml(error))


def _of_yaml(reason: object) -> Listed:
    return phrased(" ".join(str(reason).split()), foreign.YAML)


def _place(line: int, column: int) -> Said:
    return Said("line %(line)s, column %(column)s", line=line, column=column)


def dumps(profile: Profile, suffix: str) -> bytes:
    """The bytes of a file whose name ends with `suffix`: what `loads` gives back exactly. RulesError for the suffix."""
    plain = msgspec.to_builtins(profile)
    if _is_json(suffix):
        return msgspec.json.format(msgspec.json.encode(plain), indent=2) + b"\n"
    text: str = yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return text.encode()


def _is_json(suffix: str) -> bool:
    if suffix not in (".json", ".yaml", ".yml"):
        ends = suffix or Said("nothing")
        text = Said("the name ends with %(ends)s, not with .yaml, .yml or .json", ends=ends)
        raise RulesError([about(FILE, text)])
    return suffix == ".json"


def _read_json(data: bytes) -> Any:
    return json.loads(data, object_pairs_hook=_once, parse_constant=_refuse)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(_twice(key))
        found[key] = value
    return found


def _twice(key: Any) -> Said:
    return Said("%(given)s is given twice", given=repr(key))


def _refuse(constant: str) -> None:
    raise ValueError(Said("%(given)s is no number", given=constant))
