"""The published tables are valid, and a wrong one is refused with its place."""

import pytest

from apps.catalog.domain.seeds import COLUMNS, FAMILIES, SeedError, parse
from apps.catalog.services import MAKERS, published

HEADER = ",".join(COLUMNS)
ROW = "16,Total Odometer,odometer_km,km,number,0.001,FMB920"


@pytest.mark.parametrize("maker", MAKERS)
def test_the_files_are_valid(maker: str) -> None:
    assert len(published(maker)) > 100


# What other parts of TRM and its users rely on, for every family: IO id, kind, unit, scale.
WELL_KNOWN = {
    ("16", "odometer_km", "km", 0.001),
    ("199", "trip_odometer_km", "km", 0.001),
    ("239", "ignition", "", 1.0),
    ("240", "movement", "", 1.0),
    ("21", "gsm_signal", "", 1.0),
    ("66", "external_voltage", "V", 0.001),
    ("67", "battery_voltage", "V", 0.001),
    ("68", "battery_current", "A", 0.001),
    ("69", "gnss_status", "", 1.0),
    ("181", "gnss_pdop", "", 0.1),
    ("182", "gnss_hdop", "", 0.1),
    ("24", "speed", "km/h", 1.0),
    ("236", "alarm", "", 1.0),
    ("247", "crash_detection", "", 1.0),
    ("252", "unplug", "", 1.0),
}


@pytest.mark.parametrize("model", ["FMB920", "FMB003", "FMC130"])
def test_the_well_known_kinds(model: str) -> None:
    rows = {
        (seed.element.io_id, seed.element.kind, seed.unit, seed.element.scale)
        for seed in published("Teltonika")
        if model in seed.models
    }
    assert rows >= WELL_KNOWN


def test_a_row_is_for_every_model_of_its_families() -> None:
    (seed,) = parse(f"# source\n{HEADER}\n{ROW} FMC130\n")
    assert seed.models == FAMILIES["FMB920"] + FAMILIES["FMC130"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("1,x", "line 3: 7 columns are needed"),
        (f"{ROW},more", "line 3: 7 columns are needed"),
        ("sixteen,x,x,,number,1,FMB920", "line 3, io_id: 'sixteen'"),
        ("16,,x,,number,1,FMB920", "line 3, name: ''"),
        ("16,x,X y,,number,1,FMB920", "line 3, kind: 'X y'"),
        ("16,x,x,,float,1,FMB920", "line 3, value_type: 'float' is none of number, boolean"),
        ("16,x,x,,number,one,FMB920", "line 3, scale: 'one' is no number"),
        ("16,x,x,,number,0,FMB920", "line 3, scale: 0 and what is not finite"),
        ("16,x,x,,number,nan,FMB920", "line 3, scale: 0 and what is not finite"),
        ("16,x,x,,boolean,2,FMB920", "line 3, scale: a boolean has none"),
        ("16,x,x,,number,1,FMB921", "line 3, families: 'FMB921' is none of FMB003"),
        (f"{ROW}\n16,y,y,,number,1,FMB920", "io_id: 16 follows 16"),
        (f"{ROW}\n17,y,odometer_km,,number,1,FMB920", "kind: odometer_km is both IO 16 and IO 17 of FMB900"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(rows: str, message: str) -> None:
    with pytest.raises(SeedError) as caught:
        parse(f"# source\n{HEADER}\n{rows}\n")
    assert str(caught.value).startswith(message)


def test_other_columns_are_refused() -> None:
    with pytest.raises(SeedError, match="the columns must be io_id,name"):
        parse("io_id,name\n1,x\n")
