"""Half of capacity for ten minutes: nothing may fail, and memory must not grow."""
import json
import subprocess
import time

import signalling

# What a leak is: more than this stays in the heap for each call. A record, a timer or a message is more.
BYTES_PER_CALL_MAX = 16
# Caches that have a size of their own, as SQLite's of 2 MB, may fill up meanwhile.
CACHES_MAX = 4e6


def section(bench):
    seconds = bench.options.soak_seconds or (20 if bench.options.quick else 600)
    short = seconds < 120
    warm, quiet, sample = (5, 3, 1) if short else (45, 40, 5)
    rate = 0.5 * signalling.transferred(bench)["calls_per_second"]
    arguments = ("--rate", f"{rate:.0f}", "--talk-ms", 200, "--after-ms", 200, "--calls")

    def at_rest(server):
        """What it holds when all calls have ended and their transactions are forgotten."""
        time.sleep(quiet)
        return {"resident": server.resident(), "heap": server.heap()}

    with bench.server(heap_watch=bench.heap_watch) as server:
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
    settled = [each for each in samples[:-1] if each["at"] > (0 if short else warm)]
    growth = {key: slope([(each["at"], each[key]) for each in settled]) for key in ("resident", "heap")}
    per_call = (after["heap"] - before["heap"]) / run["completed"]
    grown = after["heap"] - before["heap"]
    leak = None if short else per_call > BYTES_PER_CALL_MAX and grown > CACHES_MAX
    bench.result["sections"]["soak"] = {"seconds": seconds, "rate": rate, "run": run, "samples": samples, "before": before, "after": after,
                                        "growth_bytes_per_second": growth, "heap_bytes_per_call": per_call, "leak": leak}
    bench.say(f"\nsoak: {rate:.0f} transferred calls a second for {seconds} s: {run['completed']} calls, {run['errors']} errors, "
              f"{run['refused']} refused")
    bench.say(f"resident at rest before it {before['resident'] / 1e6:.1f} MB, after it {after['resident'] / 1e6:.1f} MB; under load "
              f"{settled[0]['resident'] / 1e6:.1f} to {settled[-1]['resident'] / 1e6:.1f} MB, {growth['resident'] / 1e3:+.2f} kB/s")
    bench.say(f"heap in use at rest before it {before['heap'] / 1e6:.2f} MB, after it {after['heap'] / 1e6:.2f} MB: {per_call:+.2f} bytes a call: " +
              ("too short to tell a leak" if short else f"{'A LEAK' if leak else 'no leak'} (bound: {BYTES_PER_CALL_MAX}, beyond caches of {CACHES_MAX / 1e6:.0f} MB)") +
              f"; under load {growth['heap'] / 1e3:+.2f} kB/s")
    bench.picture("soak", f"Soak: {rate:.0f} transferred calls a second", "seconds", "MB",
                  {name: [(each["at"], each[key] / 1e6) for each in samples] for name, key in (("resident", "resident"), ("heap in use", "heap"))})


def slope(points):
    """Of the straight line through them, by least squares."""
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / (sum((x - middle_x) ** 2 for x, _ in points) or 1)
