"""What a simulated tracker says to a command, in the manner of the maker's. Pure."""

from datetime import datetime

SILENT = frozenset({"cpureset", "getrecord"})  # these send no answer


def answer(text: str, imei: str, now: datetime) -> str | None:
    """The answer; None for a command to which none comes. What it does not know it refuses, as they do."""
    clock = now.strftime("%Y/%m/%d %H:%M")
    known = {
        "getinfo": f"RTC:{clock} INI:{now:%Y/%m/%d} 04:00 RST:1 ERR:0 SR:12 BR:0 CF:0 FG:0 FL:4 UT:0 SMS:1",
        "getver": f"Ver:simulated GPS:demo Hw:demo IMEI:{imei} Init:{now:%Y-%m-%d} 4:00 Uptime:14400",
        "getstatus": "Data Link: 1 GPRS: 1 Phone: 0 SIM: 0 OP: 27601 Signal: 4 NewSMS: 0 Roaming: 0 LAC: 1 Cell ID: 1",
        "getgps": f"GPS:1 Sat:12 Date:{now:%Y/%m/%d} Time:{now:%H:%M:%S}",
        "getio": "DI1:1 DI2:0 AIN1:0 DO1:0",
        "allver": f"App: simulated, IMEI: {imei}, free storage: 128 MB",
    }
    name = text.split(" ")[0]
    if name in SILENT:
        return None
    if name in ("readio", "getparam"):
        return f"Param ID:{text.partition(' ')[2]} Val:1"
    return known.get(name, "WARNING: Not Recognised Command")
