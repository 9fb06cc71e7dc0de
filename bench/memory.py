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
RATE = 300
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
    sizes = (100, 500) if bench.options.quick else [size for size in (1_000, 10_000, 50_000) if size <= bench.options.live_max]
    bench.say(f"\nmemory: transferred calls with anchored media. One process takes {most} of them, for {why}; more are several processes, and "
              "their sum")
    bench.say(f"{'':>7}{'':>11}{'resident, MB':>34}{'':>12}{'heap in use, MB':>34}")
    bench.say(f"{'live':>7}{'processes':>11}{'empty':>10}{'peak':>8}{'live':>8}{'after':>8}{'a call':>12}{'empty':>10}{'peak':>8}{'live':>8}"
              f"{'after':>8}{'a call':>12}")
    rows = []
    bench.result["sections"]["memory"] = {"calls_per_process": most, "limited_by": why, "rows": rows}
    for live in sizes:
        row = None
        for time_of in ("first", "again") if live <= 1_000 else ("first",):
            if row is None:
                try:
                    row = measure(bench, live, math.ceil(live / most), again=live <= 1_000)
                except (RuntimeError, OSError) as error:
                    # What fewer calls take is known all the same.
                    bench.say(f"{live:>7} calls at once could not be brought up or ended: {error}")
                    return finish(bench, rows)
                rows.append(row)
            text = f"{live:>7}{row['processes']:>11}" if time_of == "first" else f"{'':>7}{'again':>11}"
            for kind in ("resident", "heap"):
                of = row[time_of]
                text += f"{row['empty'][kind] / 1e6:>10.1f}" + "".join(f"{of[when][kind] / 1e6:>8.1f}" for when in ("peak", "live", "after"))
                text += f"{(of['live'][kind] - row['empty'][kind]) / live / 1e3:>9.1f} kB"
            bench.say(text)
    finish(bench, rows)


def finish(bench, rows):
    if not rows:
        raise RuntimeError("no figure of memory")
    bench.say("Peak: just up, with the transactions of half a minute. Live: when those are forgotten. After: when all calls have ended and theirs are "
              "too.\nWhat is resident after is what the allocator keeps for the next calls: the heap in use tells what is held.")
    bench.picture("memory", "Memory of live transferred calls", "live calls", "MB",
                  {f"{kind}, {when}": [(row["calls"], row["first"][when][kind] / 1e6) for row in rows]
                   for kind in ("resident", "heap") for when in ("live", "after")})


def measure(bench, live, processes, again):
    """`live` calls on so many servers, each with an address of its own."""
    shares = [live // processes + (1 if i < live % processes else 0) for i in range(processes)]
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server(bench.options.baton, address=f"127.0.1.{i + 1}", party_port=bench.options.party_port + 1 + i,
                                              core=bench.server_core, heap_watch=bench.heap_watch))
                   for i in range(processes)]

        def taken():
            time.sleep(1.5)  # the heap is looked at once a second
            return {"resident": sum(server.resident() for server in servers), "heap": sum(server.heap() for server in servers)}

        def rest():
            time.sleep(2 if bench.options.quick else QUIET_AFTER)

        row = {"calls": live, "processes": processes, "empty": taken()}
        for time_of in ("first", "again") if again else ("first",):
            of = row[time_of] = {}
            with contextlib.ExitStack() as calls:
                lives = [calls.enter_context(Live(bench, server, share, rate=RATE)).settled() for server, share in zip(servers, shares)]
                of["peak"] = taken()
                rest()
                of["live"] = taken()
                for each in lives:
                    each.release()
            rest()
            of["after"] = taken()
    return row
