"""The demo's field: who starts, in what, how well they drive, and what happens to whom."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from apps.demo.domain.course import FIRST_DAY
from apps.demo.domain.drive import Mishap, Vehicle

# Contracts §7, sort order in tens. The rulebook prints M-7 twice; Female is M-8 here.
CLASSES = (
    ("M-1", "Moto under 450 cc"),
    ("M-2", "Moto 450-600 cc"),
    ("M-3", "Moto over 600 cc, single cylinder"),
    ("M-4", "Moto over 600 cc, twin"),
    ("M-5", "Moto Senior under 450 cc"),
    ("M-6", "Moto Senior over 450 cc"),
    ("M-7", "Moto Veteran"),
    ("M-8", "Moto Female"),
    ("Q-1", "Quad 2WD"),
    ("Q-2", "Quad 4WD"),
    ("Q-3", "Quad Female"),
    ("C-1", "Car 1"),
    ("C-2", "Car 2"),
    ("C-A", "Car A"),
    ("C-3", "Car 3"),
    ("S-1", "SSV 1"),
    ("S-2", "SSV 2"),
    ("S-3", "SSV 3"),
)
FIRST_ENTRY = 301  # contracts §7


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of vehicle: its classes, first race number, share of the field, crew size, models and abilities."""

    classes: tuple[str, ...]
    first_number: int
    share: float
    crew: int
    models: tuple[tuple[str, str, int], ...]  # make, model, cc
    vehicle: Vehicle


KINDS = (
    Kind(
        ("C-2", "C-1", "C-A", "C-3"), FIRST_ENTRY, 0.34, 2,
        (("Toyota", "Land Cruiser 70", 4500), ("Nissan", "Patrol Y61", 4200), ("Mitsubishi", "Pajero", 3200),
         ("Suzuki", "Jimny", 1300), ("Land Rover", "Defender 110", 2500)),
        Vehicle(105, 2.9, 2.4, 4.0, 1.0),
    ),
    Kind(
        ("M-1", "M-2", "M-3", "M-4", "M-5", "M-6", "M-7", "M-8"), 1, 0.38, 1,
        (("KTM", "450 EXC", 450), ("Husqvarna", "FE 501", 511), ("Honda", "CRF 300L", 286),
         ("Yamaha", "Ténéré 700", 689), ("BMW", "G 650 X", 652)),
        Vehicle(112, 3.4, 3.6, 4.6, 1.0),
    ),
    Kind(
        ("Q-1", "Q-2", "Q-3"), 201, 0.1, 1,
        (("Yamaha", "Raptor 700", 686), ("Can-Am", "Renegade 1000", 976)),
        Vehicle(92, 2.8, 3.0, 4.2, 1.0),
    ),
    Kind(
        ("S-1", "S-2", "S-3"), 401, 0.18, 2,
        (("Can-Am", "Maverick X3", 900), ("Polaris", "RZR Pro R", 1997), ("Yamaha", "YXZ 1000R", 998)),
        Vehicle(108, 3.2, 3.2, 4.4, 1.0),
    ),
)  # fmt: skip

# Nation → men, women, families: invented people.
NAMES = {
    "AL": (("Arben", "Dritan", "Ilir"), ("Besa", "Elira", "Mirela"), ("Hoxha", "Leka", "Prifti", "Shehu", "Gjoka")),
    "AT": (("Lukas", "Florian", "Georg"), ("Anna", "Maria", "Eva"), ("Gruber", "Steiner", "Moser", "Hofer")),
    "CZ": (("Jakub", "Ondřej", "Petr"), ("Tereza", "Jana", "Klára"), ("Novák", "Dvořák", "Černý", "Žák")),
    "DE": (("Jonas", "Stefan", "Uwe"), ("Lena", "Silke", "Britta"), ("Krüger", "Schäfer", "Vogel", "Brandt")),
    "FR": (("Émile", "Hugo", "Bruno"), ("Chloé", "Manon", "Inès"), ("Moreau", "Garnier", "Lefèvre", "Roux")),
    "GR": (("Nikos", "Yannis", "Kostas"), ("Eleni", "Maria", "Sofia"), ("Pappas", "Dimou", "Vlachos", "Ralli")),
    "IT": (("Luca", "Paolo", "Enzo"), ("Giulia", "Marta", "Chiara"), ("Rinaldi", "Conti", "Ferri", "Galli")),
    "RO": (("Andrei", "Mihai", "Radu"), ("Ioana", "Alina", "Diana"), ("Popa", "Ionescu", "Munteanu", "Stan")),
}
FEMALE_CLASSES = frozenset({"M-8", "Q-3"})
AGES = {"M-5": (45, 54), "M-6": (45, 54), "M-7": (55, 68)}  # seniors and veterans are by age
WOMEN_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Person:
    first_name: str
    last_name: str
    nationality: str
    birth_date: date


@dataclass(frozen=True, slots=True)
class Crew:
    """An entry as the simulation knows it; its devices are in order of priority."""

    number: int
    class_code: str
    people: tuple[Person, ...]
    make: str
    model: str
    cc: int
    year: int
    vehicle: Vehicle
    devices: tuple[str, ...]  # IMEIs
    mishaps: tuple[Mishap, ...]  # one a stage


def build_field(entries: int, stages: int, seed: int) -> tuple[Crew, ...]:
    """So many crews over all kinds, by race number; the first of the cars is number 301 of contracts §7."""
    rng = np.random.default_rng([seed, 2])
    seats = _seats(entries)
    fates = _fates(len(seats), stages, seed)
    crews = [_crew(kind, place, serial, fates[serial], rng) for serial, (kind, place) in enumerate(seats)]
    return tuple(sorted(crews, key=lambda crew: crew.number))


def _seats(entries: int) -> list[tuple[Kind, int]]:
    """(kind, place within the kind) for each entry; the shares hold for every size of field."""
    counts = [max(1, round(entries * kind.share)) for kind in KINDS[1:]]
    counts = [max(1, entries - sum(counts)), *counts]
    seats = [(kind, place) for kind, count in zip(KINDS, counts, strict=True) for place in range(count)]
    return seats[:entries]


def _crew(kind: Kind, place: int, serial: int, mishaps: tuple[Mishap, ...], rng: np.random.Generator) -> Crew:
    make, model, cc = kind.models[place % len(kind.models)]
    class_code = kind.classes[place % len(kind.classes)]
    skill = float(rng.uniform(0.78, 1.0))
    v = kind.vehicle
    number = kind.first_number + place
    trackers = 3 if number == FIRST_ENTRY else 1
    return Crew(
        number=number,
        class_code=class_code,
        people=_people(class_code, kind.crew, rng),
        make=make,
        model=model,
        cc=cc,
        year=1998 if number == FIRST_ENTRY else int(rng.integers(1996, 2026)),
        vehicle=Vehicle(v.top_kmh, v.sideways_ms2, v.thrust_ms2, v.brakes_ms2, skill),
        devices=tuple(f"35609308{serial:05d}{tracker:02d}" for tracker in range(trackers)),
        mishaps=mishaps,
    )


def _people(class_code: str, seats: int, rng: np.random.Generator) -> tuple[Person, ...]:
    """A crew of one nation, of the sex and age its class asks for; nobody shares a cockpit with a namesake."""
    nation = str(rng.choice(list(NAMES)))
    men, women, families = NAMES[nation]
    first_names = women if class_code in FEMALE_CLASSES or rng.random() < WOMEN_SHARE else men
    names = rng.choice(first_names, seats, replace=False), rng.choice(families, seats, replace=False)
    youngest, oldest = AGES.get(class_code, (21, 44))
    days = rng.integers(youngest * 366, oldest * 365, seats)
    return tuple(
        Person(str(first), str(last), nation, FIRST_DAY - timedelta(days=int(age)))
        for first, last, age in zip(*names, days, strict=True)
    )


def _fates(entries: int, stages: int, seed: int) -> list[tuple[Mishap, ...]]:
    """What befalls whom: one retires, one speeds, one misses a waypoint, some lose coverage.

    The first entry is spared, so that its time is easy to check by hand.
    """
    fates = [[Mishap() for _ in range(stages)] for _ in range(entries)]
    if entries < 5 or stages < 2:
        return [tuple(fate) for fate in fates]
    rng = np.random.default_rng([seed, 3])
    chosen = [int(n) for n in 1 + rng.permutation(entries - 1)]
    fates[chosen[0]][1] = Mishap(retires_at_m=15_000)
    fates[chosen[1]][1] = Mishap(speeds_in="Shkopet village")
    fates[chosen[2]][1] = Mishap(passes_wide_at_m=8400)  # the WPM 2 of the first stage
    for unlucky in chosen[3 : 4 + entries // 12]:
        begin = float(rng.uniform(200, 500))
        fates[unlucky][1] = Mishap(silent_s=(begin, begin + float(rng.uniform(180, 420))))
    return [tuple(fate) for fate in fates]
