"""Half of capacity for ten minutes: nothing may fail, and memory must not grow."""
import json
import subprocess
import time

import signalling

SAMPLE = 5            # seconds
SETTLING = 0.2        # of the time, before growth is looked at
# What a leak is: more than this much of a call's share stays for each call. A record, a timer or a message is more.
BYTES_PER_CALL_MAX = 16


def section(bench):
    seconds = bench.options.soak_seconds or (20 if bench.options.quick else 600)
    # Transactions are remembered for half a minute, and memory grows until the first are forgotten.
    short = seconds < 120
    rate = 0.5 * signalling.transferred(bench)["calls_per_second"]
    with bench.server(heap_watch=bench.heap_watch) as server:
        pauses = ("--talk-ms", 200, "--after-ms", 200)
        command = bench.load_command(server, "--rate", f"{rate:.0f}", "--calls", int(rate * seconds), *pauses)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        begun, samples = time.monotonic(), []
        try:
            while process.poll() is None:
                time.sleep(1 if short else SAMPLE)
                samples.append({"at": time.monotonic() - begun, "resident": server.resident(), "heap": server.heap()})
        finally:
            if process.poll() is None:
                process.kill()
        output, errors = process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"errors in the soak:\n{output[-3000:]}{errors[-2000:]}")
        run = json.loads(output)
        time.sleep(3 if short else 40)
        after = {"resident": server.resident(), "heap": server.heap()}
    rest = [sample for sample in samples[:-1] if sample["at"] > max(SETTLING * seconds, 0 if short else 45)]
    growth = {key: slope([(sample["at"], sample[key]) for sample in rest]) for key in ("resident", "heap")}
    per_call = growth["heap"] / rate
    leaks = None if short else per_call > BYTES_PER_CALL_MAX
    bench.result["sections"]["soak"] = {"seconds": seconds, "rate": rate, "run": run, "samples": samples, "after": after,
                                        "growth_bytes_per_second": growth, "heap_bytes_per_call": per_call, "leak": leaks}
    bench.say(f"\nsoak: {rate:.0f} transferred calls a second for {seconds} s: {run['completed']} calls, {run['errors']} errors, "
              f"{run['refused']} refused")
    bench.say(f"resident {rest[0]['resident'] / 1e6:.1f} MB when it had settled, {rest[-1]['resident'] / 1e6:.1f} MB at the end, "
              f"{after['resident'] / 1e6:.1f} MB after it; grew by {growth['resident'] / 1e3:.2f} kB/s")
    bench.say(f"heap in use {rest[0]['heap'] / 1e6:.2f} MB, {rest[-1]['heap'] / 1e6:.2f} MB, {after['heap'] / 1e6:.2f} MB after it; "
              f"grew by {per_call:.2f} bytes a call: " +
              ("too short to tell a leak" if short else f"{'A LEAK' if leaks else 'no leak'} (bound: {BYTES_PER_CALL_MAX})"))
    bench.picture("soak", f"Soak: {rate:.0f} transferred calls a second", "seconds", "MB",
                  {name: [(sample["at"], sample[key] / 1e6) for sample in samples] for name, key in (("resident", "resident"), ("heap in use", "heap"))})


def slope(points):
    """Of the straight line through them, by least squares."""
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / (sum((x - middle_x) ** 2 for x, _ in points) or 1)
