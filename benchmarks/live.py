"""How near the live channel comes to the limit: python benchmarks/live.py [--quick] [--json]

N clients that read raw frames, on one uvicorn process: (a) a bare broadcast of the same encoded frame by the same
server, (b) positions of 500 crews from the telemetry stream through the hub, which writes at once to a socket what
arrived meanwhile, (c) the usual way, `group_send` of Channels over Redis, each in turn several times; then (d) the
delay from XADD to the socket at 20,000 messages/s, when each message is a write of its own (`single_cpu_us`).
CPU is the server's alone, a message delivered; memory what a client adds to it.
It works on servers of its own, in a directory that goes away, whatever DATABASE_URL and REDIS_URL say.
"""

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import redis  # noqa: E402
import uvloop  # noqa: E402

from apps.common import embedded, stream  # noqa: E402
from benchmarks.live_clients import Tally, connect, still  # noqa: E402
from benchmarks.processes import cpu_s  # noqa: E402

STREAM = "bench:t"
CREWS = 500


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: viewers, frames to each of them in a round, frames of the usual way, rounds."""

    clients: int = 1000
    frames: int = 500
    usual_frames: int = 10
    rounds: int = 5
    delay_s: int = 15
    offered: int = 20_000


QUICK = Size(clients=200, frames=500, usual_frames=10, rounds=1, delay_s=5, offered=4_000)


@dataclass
class Way:
    """Of each round messages a second and µs of CPU a message."""

    mps: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    """`_mps` delivered messages a second, all clients together, `_cpu_us` of the server; medians of the rounds."""

    clients: int
    frame_bytes: int
    bare_mps: int
    hub_mps: int
    group_send_mps: int
    hub_to_bare: float
    hub_to_group_send: float
    bare_cpu_us: float
    hub_cpu_us: float
    group_send_cpu_us: float
    single_cpu_us: float
    offered_mps: int
    delivered_mps: int
    p50_ms: float
    p99_ms: float
    kib_per_client: float


class Bench:
    """One server, one event, and what was found."""

    def __init__(self, size: Size, port: int, pid: int, client: redis.Redis) -> None:
        self.size = size
        self.ways = {"bare": Way(), "hub": Way(), "group": Way()}
        self.kib: list[float] = []
        self._port = port
        self._pid = pid
        self._client = client
        self._last_ts = 0

    async def run(self, event: str, imeis: list[str]) -> Report:
        self._imeis = imeis
        self._request = json.dumps({"type": "subscribe", "topic": f"event:{event}"})
        await self._hub(20, clients=20)  # the first time is not like the others
        self.kib.clear()
        self.ways["hub"] = Way()
        for _ in range(self.size.rounds):
            await self._hub(self.size.frames, self.size.clients)
            await self._told("bare", self.size.frames)
            await self._told("group", self.size.usual_frames)
        return self._report(*await self._delays())

    async def _hub(self, frames: int, clients: int) -> None:
        async def send() -> None:
            self._send_fixes(frames)

        before = _rss_kib(self._pid)
        tally = Tally()
        viewers = await connect(self._port, clients, "/ws-live", tally, self._request)
        self._send_fixes(1)
        await still(tally, clients)
        self.kib.append((_rss_kib(self._pid) - before) / clients)
        self._keep_frame(tally.sample)
        await self._round("hub", tally, frames * clients, send)
        await self._leave(viewers)

    async def _told(self, way: str, frames: int) -> None:
        tally, answers = Tally(), Tally()
        viewers = await connect(self._port, self.size.clients, f"/{way}", tally)
        [driver] = await connect(self._port, 1, "/drive", answers)

        async def send() -> None:
            driver.say(json.dumps({"way": way, "count": frames, "frame": self._frame}))

        await self._round(way, tally, frames * self.size.clients, send)
        await self._leave([*viewers, driver])

    async def _round(self, way: str, tally: Tally, expected: int, send: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(0.5)
        tally.reset()
        spent = cpu_s(self._pid)
        await send()
        await still(tally, expected)
        if way != "hub" and tally.frames != expected:
            raise SystemExit(f"{way}: {tally.frames} of {expected} messages arrived")
        self.ways[way].mps.append(tally.frames / (tally.last - tally.first))
        self.ways[way].cpu_us.append((cpu_s(self._pid) - spent) * 1e6 / tally.frames)

    async def _leave(self, viewers: Any) -> None:
        for viewer in viewers:
            viewer.transport.close()
        await asyncio.sleep(1.0)

    async def _delays(self) -> tuple[list[float], float, float]:
        """ms from XADD to each socket; messages a second and CPU a message meanwhile."""
        tally, delays = Tally(), list[float]()
        viewers = await connect(self._port, self.size.clients, "/ws-live", tally, self._request)
        await asyncio.sleep(1.0)
        tally.reset(lambda instants: delays.extend(time.time() * 1000 - int(instant) for instant in instants))
        step, spent = self.size.clients / self.size.offered, cpu_s(self._pid)
        begin = time.perf_counter()
        for n in range(round(self.size.delay_s / step)):
            await asyncio.sleep(max(0.0, begin + n * step - time.perf_counter()))
            self._send_fixes(1, at=n)
        await still(tally, round(self.size.delay_s / step) * self.size.clients, idle_s=1.0)
        delivered = tally.frames / (tally.last - tally.first)
        single_us = (cpu_s(self._pid) - spent) * 1e6 / tally.frames
        await self._leave(viewers)
        return delays, delivered, single_us

    def _send_fixes(self, count: int, at: int = 0) -> None:
        """Of the crews in turn, each later than the last."""
        from benchmarks.live_field import fix

        begin = max(self._last_ts + 1, time.time_ns() // 1_000_000)
        self._last_ts = begin + count - 1
        fixes = [fix(self._imeis[(at + n) % CREWS], begin + n) for n in range(count)]
        stream.send(self._client, STREAM, fixes)

    def _keep_frame(self, data: bytes) -> None:
        self._frame = data[data.index(b"{") : data.index(b"}") + 1].decode()

    def _ratio(self, to: str) -> float:
        """Of the rounds' ratios the median: what else the machine does changes from round to round."""
        ratios = [hub / other for hub, other in zip(self.ways["hub"].mps, self.ways[to].mps, strict=True)]
        return round(statistics.median(ratios), 2)

    def _report(self, delays: list[float], delivered: float, single_us: float) -> Report:
        mps = {way: statistics.median(of.mps) for way, of in self.ways.items()}
        cpu = {way: round(statistics.median(of.cpu_us), 1) for way, of in self.ways.items()}
        return Report(
            clients=self.size.clients,
            frame_bytes=len(self._frame),
            bare_mps=round(mps["bare"]),
            hub_mps=round(mps["hub"]),
            group_send_mps=round(mps["group"]),
            hub_to_bare=self._ratio("bare"),
            hub_to_group_send=self._ratio("group"),
            bare_cpu_us=cpu["bare"],
            hub_cpu_us=cpu["hub"],
            group_send_cpu_us=cpu["group"],
            single_cpu_us=round(single_us, 1),
            offered_mps=self.size.offered,
            delivered_mps=round(delivered),
            p50_ms=round(statistics.median(delays), 1),
            p99_ms=round(statistics.quantiles(delays, n=100)[98], 1),
            kib_per_client=round(max(self.kib), 1),
        )


def _rss_kib(pid: int) -> int:
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0])


def measure(urls: embedded.Urls, size: Size) -> dict[str, Any]:
    os.environ |= {"DATABASE_URL": urls.database, "REDIS_URL": urls.redis, "DJANGO_SETTINGS_MODULE": "trm.settings"}
    os.environ |= {"LOG_LEVEL": "ERROR", "REDIS_TELEMETRY_STREAM": STREAM}
    subprocess.run([sys.executable, "manage.py", "prepare_database", "--verbosity=0"], cwd=ROOT, check=True)
    import django

    django.setup()
    from benchmarks import live_field

    event, imeis = live_field.build(CREWS)
    with live_field.web("benchmarks.live_app:application") as (port, pid), stream.connect(urls.redis) as client:
        return asdict(uvloop.run(Bench(size, port, pid, client).run(event, imeis)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="200 clients, one round")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # the server inherits it
    with tempfile.TemporaryDirectory(prefix="trm-bench-") as directory, embedded.servers(Path(directory)) as urls:
        report = measure(urls, QUICK if options.quick else Size())
    if options.json:
        sys.stdout.write(json.dumps(report) + "\n")
        return
    for name, value in report.items():
        sys.stdout.write(f"{name:20} {value}\n")


if __name__ == "__main__":
    main()
