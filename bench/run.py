"""What ./dev bench runs: the server as a process, the load generator against it, the floors beside it in the same run.

Figures of one machine mean little elsewhere: look at the ratios. Everything is written to build/measured as text, JSON and SVG; what other
sections have found at the same commit stays in it. docs/performance.md says what each figure means.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import signal
import statistics
import subprocess
import sys
import time
import traceback

import compare
import memory
import plot
import readme
import relay
import scaling
import signalling
import soak
import targets
from server import Server

# In this order; all but the last when none is named.
SECTIONS = {
    "floor": signalling.floor,
    "capacity": signalling.capacity,
    "dialog": signalling.dialog,
    "latency": signalling.latency,
    "audio": signalling.audio,
    "scaling": scaling.section,
    "compare": compare.section,
    "memory": memory.section,
    "relay": relay.section,
    "soak": soak.section,
}


class Bench:
    def __init__(self, options):
        self.options = options
        self.out = pathlib.Path(options.out)
        self.out.mkdir(parents=True, exist_ok=True)
        self.result = {"machine": machine(), "quick": options.quick, "sections": {}}
        before = self.before()
        if before and same_run(before, self.result):
            self.result["sections"] = before["sections"]
            self.result["stolen"] = before.get("stolen", {})
        self.lines = []
        self.echoes = {}
        self.heap_watch = pathlib.Path(options.build) / "bench/libbaton_heap_watch.so"
        # The server on one core, who measures it on the other; with one core alone both share it, and the text says so.
        self.cores = len(cores())
        self.server_core, self.load_core = sorted(cores())[:2] if self.cores > 1 else (None, None)

    def before(self):
        try:
            return json.loads((self.out / "result.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None

    def say(self, text=""):
        print(text, flush=True)
        self.lines.append(text)

    def count(self, number):
        return max(1, int(number / (10 if self.options.quick else 1)))

    def program(self, name, *arguments):
        """Its command line, on the core of who measures."""
        command = [str(pathlib.Path(self.options.build) / name), *map(str, arguments)]
        return ["taskset", "-c", str(self.load_core)] + command if self.load_core is not None else command

    def tool(self, name, *arguments):
        command = self.program(name, *arguments)
        done = subprocess.run(command, capture_output=True, text=True, timeout=1_800)
        if not done.stdout or done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return json.loads(done.stdout)

    def echo(self, size):
        """CPU µs of a bare UDP echo of a message of that size: one received, one sent. The median of three, once a run."""
        size = max(50, round(size / 50) * 50)
        if size not in self.echoes:
            self.echoes[size] = statistics.median(
                self.tool("bench/baton_echo", "--bytes", size, "--messages", self.count(400_000))["cpu_us_per_message"] for _ in range(3))
        return self.echoes[size]

    def server(self, **settings):
        return Server(self.options.baton, **{"address": self.options.address, "party_port": self.options.party_port, "core": self.server_core, **settings})

    def load_command(self, server, *arguments):
        return self.program("bench/baton_load", "--server", server.address, "--port", server.port, "--own-port", server.party_port,
                            "--transport", server.transport, *server.load_arguments, *server.media_arguments, *arguments)

    def load(self, server, *arguments):
        """A run of the generator, with what the server took meanwhile."""
        command = self.load_command(server, *arguments)
        before = server.threads()
        done = subprocess.run(command, capture_output=True, text=True, timeout=1_800)
        after = server.threads()
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return with_server(json.loads(done.stdout), before, after)

    def median(self, server, *arguments, times=3):
        """The run in the middle, by CPU, with the least and the most."""
        runs = sorted((self.load(server, *arguments) for _ in range(times)), key=lambda each: each["server_cpu_us_per_call"])
        run = runs[times // 2]
        run["spread_us"] = [runs[0]["server_cpu_us_per_call"], runs[-1]["server_cpu_us_per_call"]]
        return run

    def picture(self, name, title, x_name, y_name, curves):
        (self.out / f"{name}.svg").write_text(plot.svg(title, x_name, y_name, curves))

    def write(self):
        (self.out / "result.json").write_text(json.dumps(self.result, indent=2) + "\n")
        (self.out / "result.txt").write_text("\n".join(self.lines) + "\n")
        (self.out / "readme.md").write_text(readme.table(self.result))


def with_server(run, before, after):
    calls = max(run["completed"], 1)
    spent = {name: seconds - before.get(name, 0) for name, seconds in sorted(after.items())}
    run["server_cpu_us_per_call"] = sum(spent.values()) * 1e6 / calls
    run["server_threads_us_per_call"] = {name: round(seconds * 1e6 / calls, 1) for name, seconds in spent.items()}
    run["server_load"] = sum(spent.values()) / run["seconds"]
    return run


def cores():
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


def same_run(one, other):
    return all(one["machine"][key] == other["machine"][key] for key in ("cpu", "cores", "kernel", "commit")) and \
        one.get("quick") == other["quick"]


def busy():
    """What else runs on the machine, as the load of the last minute; a measurement wants none."""
    return os.getloadavg()[0]


def stolen_seconds():
    """Of the cores of a virtual machine: when it wanted to run and was not let (the kernel's steal)."""
    return int(pathlib.Path("/proc/stat").read_text().split(None, 10)[8]) / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baton", required=True, help="the release binary")
    parser.add_argument("--build", required=True, help="where the measuring programs were built")
    parser.add_argument("--out", required=True)
    parser.add_argument("--quick", action="store_true", help="a tenth of the calls: whether it works, not what it costs")
    parser.add_argument("--soak-seconds", type=int, help="600, or 20 with --quick")
    parser.add_argument("--live-max", type=int, default=50_000, help="no more calls live at once in memory than these")
    parser.add_argument("--into", help="with readme: the file whose figures it replaces, between its two marks")
    parser.add_argument("--address", default="127.0.0.1", help="of the server")
    parser.add_argument("--party-port", type=int, default=5_070, help="SIP port of the parties, at 127.0.0.11 to 127.0.0.13")
    parser.add_argument("section", nargs="*", help=f"of {', '.join(SECTIONS)}; all but soak when none is named. "
                                                   "readme: prints the table of the last run and measures nothing")
    options = parser.parse_args()
    unknown = [name for name in options.section if name not in SECTIONS and name != "readme"]
    if unknown:
        parser.error(f"no such section: {', '.join(unknown)}; there are: {', '.join(SECTIONS)}, readme")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers end with it
    bench = Bench(options)
    if options.section == ["readme"]:
        before = bench.before()
        if before is None:
            parser.error(f"nothing has been measured yet: {bench.out}/result.json is not there")
        print(readme.table(before), end="")
        if options.into:
            readme.put(readme.table(before), pathlib.Path(options.into))
        return 0
    of = bench.result["machine"]
    bench.say(f"{of['cpu']}, {of['cores']} cores, Linux {of['kernel']}, commit {of['commit']}, {of['date']}" +
              ("; quick: the figures mean nothing" if options.quick else ""))
    if busy() > 0.5:
        bench.say(f"the machine is not at rest: load {busy():.1f}. Ratios hold better than figures; best is neither.")
    if bench.load_core is None:
        bench.say("one core alone: the server and who measures it share it")
    failed = []
    try:
        for name in options.section or list(SECTIONS)[:-1]:
            began, stolen = time.monotonic(), stolen_seconds()
            try:
                SECTIONS[name](bench)
                stolen = (stolen_seconds() - stolen) / (time.monotonic() - began)
                bench.result.setdefault("stolen", {})[name] = stolen
                bench.say(f"[{name}: {time.monotonic() - began:.0f} s" + (
                    f"; for {stolen:.1%} of a core's time whoever runs this virtual machine ran something else: what was late by that is not the "
                    "server's" if stolen >= 0.005 else "") + "]")
            except Exception as error:
                # A message that was wrong, calls that did not come up, a program that is not there: no figure of this section,
                # but of the others.
                failed.append(name)
                bench.result["sections"].pop(name, None)
                bench.say(f"\n{name} FAILED after {time.monotonic() - began:.0f} s: {type(error).__name__}: {error}")
                if not isinstance(error, RuntimeError):
                    traceback.print_exc()
            bench.write()
        targets.say(bench)
    finally:
        bench.write()
    print(f"\nwritten to {bench.out}" + (f"; FAILED: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
