"""What ./dev bench runs: the server as a process, the load generator against it, the floors beside it in the same run.

Figures of one machine mean little elsewhere: look at the ratios. Everything is written to build/measured as text, JSON and SVG.
"""
import argparse
import datetime
import json
import pathlib
import platform
import statistics
import subprocess
import sys
import time

import plot
import relay
from server import Server

PARTY_PORT = 5070


class Bench:
    def __init__(self, options):
        self.options = options
        self.out = pathlib.Path(options.out)
        self.out.mkdir(parents=True, exist_ok=True)
        self.result = {"machine": machine(), "sections": {}}
        self.lines = []
        # The server on one core, who measures it on the other; with one core alone both share it, and the text says so.
        self.server_core, self.load_core = (0, 1) if len(cores()) > 1 else (None, None)

    def say(self, text=""):
        print(text, flush=True)
        self.lines.append(text)

    def tool(self, name, *arguments, check=True):
        command = [str(pathlib.Path(self.options.build) / name), *map(str, arguments)]
        if self.load_core is not None:
            command = ["taskset", "-c", str(self.load_core)] + command
        done = subprocess.run(command, capture_output=True, text=True, timeout=1_200)
        if not done.stdout or (check and done.returncode != 0):
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return json.loads(done.stdout)

    def server(self, **settings):
        return Server(self.options.baton, party_port=PARTY_PORT, core=self.server_core, **settings)

    def load(self, server, *arguments, transport="udp"):
        before = server.threads()
        run = self.tool("bench/baton_load", "--port", server.port, "--own-port", PARTY_PORT, "--transport", transport,
                        *server.load_arguments, *arguments)
        after = server.threads()
        calls = max(run["completed"], 1)
        run["server_cpu_us_per_call"] = sum(after.values()) * 1e6 / calls - sum(before.values()) * 1e6 / calls
        run["server_threads_us_per_call"] = {name: round((seconds - before.get(name, 0)) * 1e6 / calls, 1)
                                             for name, seconds in sorted(after.items())}
        run["server_load"] = (sum(after.values()) - sum(before.values())) / run["seconds"]
        return run

    # ---- Sections ------------------------------------------------------------------------------

    def floor(self):
        """What the kernel takes to receive and send a message of a usual size, in the same run."""
        sizes = {}
        for size in (300, 600, 900):
            sizes[size] = statistics.median(
                self.tool("bench/baton_echo", "--bytes", size, "--messages", self.count(400_000))["cpu_us_per_message"] for _ in range(3))
        self.say("floor: a bare UDP echo, CPU for a message received and one sent: " +
                 ", ".join(f"{size} bytes {us:.2f} µs" for size, us in sizes.items()))
        self.result["sections"]["floor"] = sizes
        return sizes

    def count(self, number):
        return max(1, int(number / (10 if self.options.quick else 1)))

    def capacity(self):
        """CPU per call and calls a second, as fast as the server takes them."""
        echo = self.result["sections"].get("floor") or self.floor()
        table = []
        for kind, transport, trace, direction in (("plain", "udp", False, "inbound"), ("transfer", "udp", False, "inbound"),
                                                  ("transfer", "udp", True, "inbound"), ("transfer", "udp", False, "outbound"),
                                                  ("transfer", "tcp", False, "inbound")):
            with self.server(transport=transport, trace=trace) as server:
                arguments = ("--kind", kind, "--direction", direction, "--in-flight", 100)
                self.load(server, *arguments, "--calls", self.count(2_000), transport=transport)  # warm
                runs = [self.load(server, *arguments, "--calls", self.count(20_000), transport=transport) for _ in range(3)]
            run = sorted(runs, key=lambda each: each["server_cpu_us_per_call"])[1]
            run.update(kind=kind, transport=transport, trace=trace, direction=direction)
            run["floor_us_per_call"] = run["messages_per_call"] / 2 * echo[600]
            run["ratio_to_floor"] = run["server_cpu_us_per_call"] / run["floor_us_per_call"]
            table.append(run)
        self.result["sections"]["capacity"] = table
        self.say("\ncapacity, 100 calls in flight, median of 3")
        self.say(f"{'call':<10}{'direction':<11}{'by':<5}{'trace':<7}{'calls/s':>9}{'CPU a call':>13}{'messages':>10}{'floor':>10}"
                 f"{'ratio':>8}{'generator':>12}")
        for run in table:
            self.say(f"{run['kind']:<10}{run['direction']:<11}{run['transport']:<5}{'on' if run['trace'] else 'off':<7}"
                     f"{run['calls_per_second']:>9.0f}{run['server_cpu_us_per_call']:>10.0f} µs{run['messages_per_call']:>10.1f}"
                     f"{run['floor_us_per_call']:>7.0f} µs{run['ratio_to_floor']:>8.2f}{run['generator_cpu_us_per_call']:>9.0f} µs" +
                     ("  the generator is the limit" if run["generator_is_the_limit"] else ""))
            self.say(f"{'':<10}CPU by thread: " + ", ".join(f"{name} {us:.0f} µs" for name, us in
                                                           run["server_threads_us_per_call"].items() if us >= 1))
        return table

    def latency(self):
        """How long a transfer takes at a tenth, a half and nine tenths of what the server can do."""
        table = self.result["sections"].get("capacity") or self.capacity()
        most = next(run for run in table if run["kind"] == "transfer" and run["transport"] == "udp" and not run["trace"])
        rows = []
        for part in (0.1, 0.3, 0.5, 0.7, 0.9):
            rate = part * most["calls_per_second"]
            with self.server() as server:
                seconds = 3 if self.options.quick else 15
                run = self.load(server, "--rate", f"{rate:.1f}", "--calls", int(rate * seconds), "--talk-ms", 200, "--after-ms", 200)
            rows.append({"part": part, "rate": rate, **run})
        self.result["sections"]["latency"] = rows
        self.say("\nlatency of a transfer, over UDP")
        self.say(f"{'load':<8}{'calls/s':>9}   REFER to INVITE at the target: p50, p99, p99.9      REFER to NOTIFY 200: p50, p99")
        for row in rows:
            invite, notify = row["refer_to_invite"], row["refer_to_notify"]
            self.say(f"{row['part']:<8.0%}{row['rate']:>9.0f}   {invite['p50_us']:>8.0f} {invite['p99_us']:>8.0f} {invite['p999_us']:>8.0f} µs"
                     f"{'':<24}{notify['p50_us']:>8.0f} {notify['p99_us']:>8.0f} µs")
        self.picture("latency", "REFER to INVITE at the target", "transferred calls a second", "µs",
                     {name: [(row["rate"], row["refer_to_invite"][key]) for row in rows]
                      for name, key in (("p50", "p50_us"), ("p99", "p99_us"))})

    def memory(self):
        """Resident memory against live calls, and after them."""
        rows = []
        with self.server() as server:
            empty = server.resident()
            for live in (100, 500) if self.options.quick else (1_000, 2_000, 5_000, 10_000):
                run = self.live(server, live)
                rows.append({"live": live, "resident": run, "after": server.resident()})
        self.result["sections"]["memory"] = {"empty": empty, "rows": rows}
        self.say(f"\nmemory: resident, empty server {empty / 1e6:.1f} MB")
        for row in rows:
            self.say(f"{row['live']:>7} transferred calls live: {row['resident'] / 1e6:>7.1f} MB, "
                     f"{(row['resident'] - empty) / row['live'] / 1e3:.1f} kB a call; after them {row['after'] / 1e6:.1f} MB")
        self.picture("memory", "Resident memory", "live transferred calls", "MB",
                     {"live": [(0, empty / 1e6)] + [(row["live"], row["resident"] / 1e6) for row in rows],
                      "after": [(row["live"], row["after"] / 1e6) for row in rows]})

    def live(self, server, calls):
        """Brings up so many transferred calls at a time; the server's memory while all are up."""
        command = [str(pathlib.Path(self.options.build) / "bench/baton_load"), "--port", str(server.port), "--own-port", str(PARTY_PORT),
                   "--calls", str(calls), "--in-flight", str(calls), "--rate", "500", "--talk-ms", "10",
                   "--after-ms", str(calls / 500 * 1000 + 4000), "--progress"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        resident = 0
        for line in process.stdout:
            at = json.loads(line)
            if "errors" in at and at["errors"]:
                process.kill()
                raise RuntimeError(f"errors while {calls} calls were brought up: {line}")
            if at.get("settled") == calls:
                resident = max(resident, server.resident())
        if process.wait() != 0 or resident == 0:
            raise RuntimeError(f"{calls} calls were never all up")
        time.sleep(1)
        return resident

    def relay(self):
        relay.section(self)

    def soak(self):
        """Half of capacity for ten minutes: memory must not grow."""
        seconds = self.options.soak_seconds
        table = self.result["sections"].get("capacity") or self.capacity()
        rate = 0.5 * next(run for run in table if run["kind"] == "transfer" and run["transport"] == "udp")["calls_per_second"]
        with self.server() as server:
            self.load(server, "--rate", f"{rate:.0f}", "--calls", int(rate * 20), "--talk-ms", 100, "--after-ms", 100)
            time.sleep(40)  # what lingers by RFC 3261 timers is gone
            before = server.resident()
            run = self.load(server, "--rate", f"{rate:.0f}", "--calls", int(rate * seconds), "--talk-ms", 100, "--after-ms", 100)
            time.sleep(40)
            after = server.resident()
        self.result["sections"]["soak"] = {"before": before, "after": after, **run}
        self.say(f"\nsoak: {run['completed']} transferred calls in {run['seconds']:.0f} s, {run['errors']} errors, "
                 f"{run['refused']} refused; resident before {before / 1e6:.1f} MB, after {after / 1e6:.1f} MB")

    # ---- Output --------------------------------------------------------------------------------

    def picture(self, name, title, x_name, y_name, curves):
        (self.out / f"{name}.svg").write_text(plot.svg(title, x_name, y_name, curves))

    def write(self):
        (self.out / "result.json").write_text(json.dumps(self.result, indent=2) + "\n")
        (self.out / "result.txt").write_text("\n".join(self.lines) + "\n")


def cores():
    import os
    return os.sched_getaffinity(0)


def machine():
    model = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True,
                            cwd=pathlib.Path(__file__).parent).stdout.strip()
    return {"cpu": model, "cores": len(cores()), "kernel": platform.release(), "commit": commit,
            "date": datetime.date.today().isoformat()}


def main():
    names = ["floor", "capacity", "latency", "memory", "relay", "soak"]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baton", required=True, help="the release binary")
    parser.add_argument("--build", required=True, help="where the measuring programs were built")
    parser.add_argument("--out", required=True)
    parser.add_argument("--quick", action="store_true", help="a tenth of the calls: whether it works, not what it costs")
    parser.add_argument("--soak-seconds", type=int, default=600)
    parser.add_argument("section", nargs="*", help=f"of {', '.join(names)}; all but soak when none is named")
    options = parser.parse_args()
    unknown = [name for name in options.section if name not in names]
    if unknown:
        parser.error(f"no such section: {', '.join(unknown)}; there are: {', '.join(names)}")
    bench = Bench(options)
    of = bench.result["machine"]
    bench.say(f"{of['cpu']}, {of['cores']} cores, Linux {of['kernel']}, commit {of['commit']}, {of['date']}" +
              ("; quick: the figures mean nothing" if options.quick else ""))
    try:
        for name in options.section or names[:-1]:
            getattr(bench, name)()
    finally:
        bench.write()
    print(f"\nwritten to {bench.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
