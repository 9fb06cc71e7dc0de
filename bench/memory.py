"""Resident memory against live calls, and after them."""
import contextlib
import math
import resource
import time

from live import Live
from server import Server

DESCRIPTORS_PER_CALL = 4  # RTP and RTCP of two parties
PORTS = (64_999 - 10_000 + 1) // 2
PORTS_PER_CALL = 3  # with that of the party that handed over, which rests before it is used again
RATE = 500
# How long transactions over UDP are remembered, and a little.
QUIET_AFTER = 36


def calls_per_server():
    """How many calls one process may have here, and why not more."""
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    by = {f"{descriptors} file descriptors that a process may have here": int((descriptors - 500) / DESCRIPTORS_PER_CALL * 0.95),
          f"{PORTS} RTP port pairs of one address": PORTS // PORTS_PER_CALL}
    return min((calls, why) for why, calls in by.items())


def section(bench):
    most, why = calls_per_server()
    sizes = (100, 500) if bench.options.quick else (1_000, 10_000, 50_000)
    bench.say(f"\nmemory: resident, transferred calls with anchored media. One process takes {most} calls of them, for {why}; "
              "more of them are several processes, and their sum")
    bench.say(f"{'live':>7}{'processes':>11}{'empty':>10}{'live':>11}{'a call':>10}{'after':>11}{'live again':>12}{'after again':>13}")
    rows = []
    bench.result["sections"]["memory"] = {"calls_per_process": most, "limited_by": why, "rows": rows}
    for live in sizes:
        row = measure(bench, live, math.ceil(live / most), again=live <= 10_000)
        rows.append(row)
        megabytes = {key: f"{row[key] / 1e6:.1f} MB" if row[key] else "–" for key in ("empty", "live", "after", "again", "after_again")}
        bench.say(f"{live:>7}{row['processes']:>11}{megabytes['empty']:>10}{megabytes['live']:>11}"
                  f"{(row['live'] - row['empty']) / live / 1e3:>7.1f} kB{megabytes['after']:>11}{megabytes['again']:>12}{megabytes['after_again']:>13}")
    bench.say("After: when all have ended and their transactions are forgotten. The second time shows whether anything has stayed.")
    bench.picture("memory", "Resident memory", "live transferred calls", "MB",
                  {"live": [(row["calls"], row["live"] / 1e6) for row in rows], "after": [(row["calls"], row["after"] / 1e6) for row in rows]})


def measure(bench, live, processes, again):
    """`live` calls on so many servers, each with an address of its own."""
    shares = [live // processes + (1 if i < live % processes else 0) for i in range(processes)]
    row = {"calls": live, "processes": processes, "again": None, "after_again": None}
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server(bench.options.baton, address=f"127.0.1.{i + 1}", party_port=bench.options.party_port + 1 + i, core=bench.server_core))
                   for i in range(processes)]

        def resident():
            return sum(server.resident() for server in servers)

        row["empty"] = resident()
        for up, after in (("live", "after"), ("again", "after_again")):
            if up == "again" and not again:
                break
            with contextlib.ExitStack() as calls:
                lives = [calls.enter_context(Live(bench, server, share, rate=RATE)).settled() for server, share in zip(servers, shares)]
                row[up] = resident()
                for each in lives:
                    each.release()
            time.sleep(3 if bench.options.quick else QUIET_AFTER)
            row[after] = resident()
    return row
