"""Half of capacity for ten minutes: nothing may fail, and memory must not grow."""
import json
import subprocess
import time

import signalling

# What a leak is: a call leaves a block of the heap behind, or so many bytes in a table that grows with the calls there ever
# were. A table that is as long as the most calls at once were is one block; when there were a few more than in the warm-up it
# has doubled, so it may all be as much again as the warm-up left. SQLite's cache is 2 MB in pages, 500 blocks.
BLOCKS_PER_CALL_MAX = 0.01
BYTES_PER_CALL_MAX = 16


def section(bench):
    seconds = bench.options.soak_seconds or (20 if bench.options.quick else 600)
    short = seconds < 120
    warm, quiet, sample = (5, 3, 1) if short else (45, 40, 5)
    rate = 0.5 * signalling.transferred(bench)["calls_per_second"]
    arguments = ("--rate", f"{rate:.0f}", "--talk-ms", 200, "--after-ms", 200, "--calls")

    def at_rest(server):
        """What it holds when all calls have ended and their transactions are forgotten."""
        time.sleep(quiet)
        return {"resident": server.resident(), "heap": server.heap(), "blocks": server.heap_blocks()}

    with bench.server(heap_watch=bench.heap_watch) as server:
        time.sleep(1.5)  # the heap is looked at once a second
        empty = server.heap()
        # As many calls as are ever remembered at once, so that every table has its size.
        bench.load(server, *arguments, int(rate * warm))
        before = at_rest(server)
        process = subprocess.Popen(bench.load_command(server, *arguments, int(rate * seconds)), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        begun, samples = time.monotonic(), []
        try:
            while process.poll() is None:
                time.sleep(sample)
                samples.append({"at": time.monotonic() - begun, "resident": server.resident(), "heap": server.heap()})
        finally:
            if process.poll() is None:
                process.kill()
        output, errors = process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"errors in the soak:\n{output[-3000:]}{errors[-2000:]}")
        run = json.loads(output)
        after = at_rest(server)
        complaints = server.complaints()
    settled = [each for each in samples[:-1] if each["at"] > (0 if short else warm)]
    growth = {key: slope([(each["at"], each[key]) for each in settled]) for key in ("resident", "heap")}
    per_call = (after["heap"] - before["heap"]) / run["completed"]
    blocks_per_call = (after["blocks"] - before["blocks"]) / run["completed"]
    tables = before["heap"] - empty
    grown = per_call > BYTES_PER_CALL_MAX and after["heap"] - before["heap"] > tables
    leak = None if short else grown or blocks_per_call > BLOCKS_PER_CALL_MAX
    bench.result["sections"]["soak"] = {"seconds": seconds, "rate": rate, "run": run, "samples": samples, "before": before, "after": after,
                                        "complaints": complaints,
                                        "growth_bytes_per_second": growth, "heap_bytes_per_call": per_call,
                                        "heap_blocks_per_call": blocks_per_call, "leak": leak}
    bench.say(f"\nsoak: {rate:.0f} transferred calls a second for {seconds} s: {run['completed']} calls, {run['errors']} errors, "
              f"{run['refused']} refused {run['refusals'] or ''}")
    for event, found in complaints.items():
        bench.say(f"  the server's log, {found['count']} times {event}: {found['first']}")
    bench.say(f"resident at rest before it {before['resident'] / 1e6:.1f} MB, after it {after['resident'] / 1e6:.1f} MB; under load "
              f"{settled[0]['resident'] / 1e6:.1f} to {settled[-1]['resident'] / 1e6:.1f} MB, {growth['resident'] / 1e3:+.2f} kB/s")
    bench.say(f"heap in use at rest before it {before['heap'] / 1e6:.2f} MB, after it {after['heap'] / 1e6:.2f} MB: {per_call:+.2f} bytes and "
              f"{blocks_per_call:+.5f} blocks a call: " +
              ("too short to tell a leak" if short else f"{'A LEAK' if leak else 'no leak'} (bounds: {BYTES_PER_CALL_MAX}, beyond {tables / 1e6:.1f} MB of tables, and {BLOCKS_PER_CALL_MAX})") +
              f"; under load {growth['heap'] / 1e3:+.2f} kB/s")
    bench.picture("soak", f"Soak: {rate:.0f} transferred calls a second", "seconds", "MB",
                  {name: [(each["at"], each[key] / 1e6) for each in samples] for name, key in (("resident", "resident"), ("heap in use", "heap"))})


def slope(points):
    """Of the straight line through them, by least squares."""
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / (sum((x - middle_x) ** 2 for x, _ in points) or 1)
