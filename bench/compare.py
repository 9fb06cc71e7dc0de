"""The same plain calls through Kamailio and through Baton, by turns: what a proxy takes that only passes messages on."""
import pathlib
import shutil
import string
import subprocess
import tempfile
import time

from server import thread_seconds

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = shutil.which("kamailio", path="/usr/sbin:/usr/bin")
PORT = 5095


class Kamailio:
    """As Server, as far as it is measured."""

    address, port, transport, load_arguments, media_arguments = "127.0.0.1", PORT, "udp", [], []

    def __init__(self, party_port, core):
        self.party_port = party_port
        self.directory = tempfile.TemporaryDirectory(prefix="kamailio-bench-")
        directory = pathlib.Path(self.directory.name)
        template = string.Template((HERE / "compare.kamailio.cfg.in").read_text())
        (directory / "kamailio.cfg").write_text(template.substitute(address=self.address, port=self.port, party_port=party_port))
        command = [PROGRAM, "-f", str(directory / "kamailio.cfg"), "-DD", "-E", "-Y", str(directory), "-m", "256", "-M", "16"]
        if core is not None:
            command = ["taskset", "-c", str(core)] + command
        self.log = directory / "kamailio.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        time.sleep(1.5)
        if self.process.poll() is not None:
            raise RuntimeError("Kamailio did not start:\n" + self.log.read_text(errors="replace")[-2000:])

    def threads(self):
        """Of it and of its children, which are processes."""
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        return {"kamailio": sum(sum(thread_seconds(pid).values()) for pid in [self.process.pid, *map(int, children)])}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.directory.cleanup()


def version():
    return subprocess.run([PROGRAM, "-v"], capture_output=True, text=True).stdout.splitlines()[0].split(":", 1)[-1].strip()


def section(bench):
    if PROGRAM is None:
        bench.say("\ncompare: Kamailio is not installed here (apt-get install kamailio): nothing is compared")
        return
    runs = {"Baton": [], "Kamailio": []}
    arguments = ("--kind", "plain", "--in-flight", 100)
    with bench.server() as baton, Kamailio(baton.party_port, bench.server_core) as kamailio:
        for name, server in (("Baton", baton), ("Kamailio", kamailio)):
            bench.load(server, *arguments, "--calls", bench.count(2_000))  # warm
        for _ in range(3):
            for name, server in (("Baton", baton), ("Kamailio", kamailio)):
                runs[name].append(bench.load(server, *arguments, "--calls", bench.count(10_000)))
    bench.say(f"\ncompare: plain calls over UDP, 100 in flight, by turns on the same core; {version()}, one process for UDP")
    bench.say(f"{'':<40}{'calls/s':>9}{'CPU a call':>13}{'messages':>10}{'a message':>12}")
    table = {}
    what = {"Baton": "Baton: B2BUA, audio anchored, records", "Kamailio": "Kamailio: proxy, tm, Record-Route"}
    for name, of in runs.items():
        run = sorted(of, key=lambda each: each["server_cpu_us_per_call"])[1]
        table[name] = run
        bench.say(f"{what[name]:<40}{run['calls_per_second']:>9.0f}{run['server_cpu_us_per_call']:>10.0f} µs{run['messages_per_call']:>10.1f}"
                  f"{run['server_cpu_us_per_call'] / run['messages_per_call']:>9.1f} µs" + ("  the generator is the limit" if run["generator_is_the_limit"] else ""))
    table["version"] = version()
    bench.result["sections"]["compare"] = table
