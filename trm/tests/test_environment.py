"""Wrong settings stop the start, all of them in one message, and no password is in it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from trm.environment import Environment

REPOSITORY = Path(__file__).resolve().parents[2]


def _faults(environment: Environment) -> list[str]:
    with pytest.raises(ImproperlyConfigured) as caught:
        environment.finish()
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def test_every_wrong_setting_is_in_the_one_message() -> None:
    env = Environment({"A": "x", "B": "70000", "C": "maybe", "D": "loud", "E": "mysql://h/d", "F": " "})
    assert env.integer("A", default=1, low=0, high=9) == 1
    env.integer("B", default=1, low=0, high=65535)
    env.boolean("C", default=False)
    env.choice("D", ("INFO", "ERROR"), default="INFO")
    env.url("E", ("postgres",), default="")
    assert env.text("F", default="telemetry:t") == "telemetry:t"
    assert [fault[0] for fault in _faults(env)] == list("ABCDEF")


@pytest.mark.parametrize("value", ["1.5", "--5", "1e3", "٣x", "0x10", "-1", "10"])
def test_a_number_is_whole_and_in_its_range(value: str) -> None:
    env = Environment({"N": value})
    env.integer("N", default=5, low=0, high=9)
    assert _faults(env)[0].startswith(f"N={value!r}")


@pytest.mark.parametrize("url", ["postgres//h/d", "redis://h/0", "postgres://u:secret@h:port/d", "postgres://[h/d"])
def test_a_wrong_url_is_named_without_the_password_in_it(url: str) -> None:
    env = Environment({"DATABASE_URL": url})
    env.url("DATABASE_URL", ("postgres", "postgresql"), default="")
    (fault,) = _faults(env)
    assert fault.startswith("DATABASE_URL:")
    assert "secret" not in fault


def test_right_settings_are_read_and_missing_ones_take_their_defaults() -> None:
    env = Environment({"PORT": " 0 ", "DEBUG": "Yes", "HOSTS": "a, b,"})
    assert env.integer("PORT", default=9090, low=0, high=65535) == 0
    assert env.integer("OTHER", default=7, low=0, high=9) == 7
    assert env.boolean("DEBUG", default=False) is True
    assert env.words("HOSTS", default="") == ["a", "b"]
    assert env.url("NONE", ("redis",), default="") == ""
    env.finish()


def test_without_a_database_url_the_settings_load_but_lead_nowhere() -> None:
    """Commands that need no server load the settings too; the dummy spares them a failing connection."""
    assert Environment({}).database("", pool=True) == {"ENGINE": "django.db.backends.dummy"}


def test_a_pool_goes_with_no_connection_age() -> None:
    settings = Environment({}).database("postgres://u:p@h:5432/d", pool=True)
    assert settings["CONN_MAX_AGE"] == 0
    assert settings["OPTIONS"]["pool"]["max_size"] == 16


def test_manage_py_ends_with_the_message_alone() -> None:
    """No traceback: an operator reads this."""
    command = [sys.executable, "manage.py", "check"]
    wrong = {**os.environ, "METRICS_PORT": "metrics", "READ_BATCH_SIZE": "0"}
    done = subprocess.run(command, cwd=REPOSITORY, env=wrong, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "Wrong settings:",
        "  METRICS_PORT='metrics': a whole number from 0 to 65535 is needed",
        "  READ_BATCH_SIZE='0': a whole number from 1 to 100000 is needed",
    ]


@pytest.mark.parametrize("value", ["Class", "package.", ".Class", "package.two words", "a..B"])
def test_what_is_no_dotted_path_is_told(value: str) -> None:
    env = Environment({"P": value})
    env.dotted_path("P", default="a.B")
    assert _faults(env)[0].startswith(f"P={value!r}")


def test_a_dotted_path_may_be_switched_off() -> None:
    env = Environment({"OFF": "", "ON": "package.module.Class"})
    assert (env.dotted_path("OFF", default="a.B"), env.dotted_path("ON", default="")) == ("", "package.module.Class")
    assert env.dotted_path("NONE", default="a.B") == "a.B"
    env.finish()
