"""What most tests of scoring begin with."""

import pytest
from redis import Redis

from apps.accounts.factories import UserFactory
from apps.accounts.models import User
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import race


@pytest.fixture
def driven(redis: Redis) -> rally.Rally:
    """A rally of five, driven and scored: entry 1 missed the WPM."""
    return race(redis, rally.build())


@pytest.fixture
def official(db: None) -> User:
    return UserFactory()
