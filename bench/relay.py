"""What a relayed packet costs in the relay's thread beside a bare relay on as many sockets, and how many a core carries."""
import json
import pathlib
import subprocess


def section(bench):
    figures = bench.out / "relay.json"
    command = [str(pathlib.Path(bench.options.build) / "bench/baton_relay"), "--json", str(figures)]
    if bench.options.quick:
        command += ["--streams", "100", "--seconds", "0.5", "--rounds", "2", "--search", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1_800)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    bench.result["sections"]["relay"] = json.loads(figures.read_text())
    bench.say("\nrelay: CPU of the relay's thread for each packet, and how late packets are\n" + done.stdout.rstrip())
