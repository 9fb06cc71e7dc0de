"""What a relayed packet costs in processor time, beside a bare relay on as many sockets, beside the codecs alone and beside
rtpengine, all by turns in one run; how late packets are; how many streams one core carries; what an endpoint takes of memory."""
import json
import pathlib
import subprocess

CURVE = (100, 250, 500, 1_000, 1_500, 2_000)


def run(bench, *arguments):
    # It chooses its cores itself: the relay's and the parties' must not be the same.
    command = [str(pathlib.Path(bench.options.build) / "bench/baton_relay"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3_600)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def late(figures):
    of = figures["late_us"]
    return f"{of['p50'] / 1e3:7.2f}{of['p99'] / 1e3:7.2f}{of['p99_9'] / 1e3:7.2f}"


def carried(row):
    found = row.get("carries")
    if not found:
        return ""
    return f"{found['streams']:>9}" + ("+" if found["not_looked_further"] or found["limited_by_load"] else "")


def table(bench, rows):
    bench.say("\nrelay: CPU for each packet, medians; lateness from the sender's socket to the listener's, ms: p50, p99, p99.9")
    bench.say(f"{'':<34}{'streams':>8}{'bare':>9}{'Baton':>10}{'to bare':>9}{'over plain':>12}{'codecs':>10}{'of both':>9}"
              f"{'late':>9}{'rtpengine':>24}{'to bare':>9}{'late':>9}{'carried':>22}")
    for row in rows:
        baton, theirs = row["baton"], row.get("rtpengine")
        codec = f"{row['codec_ns'] / 1e3:>7.2f} µs{row['ratio_to_plain_and_codec']:>9.2f}" if "codec_ns" in row else " " * 19
        other = f"{theirs['ns_per_packet'] / 1e3:>9.2f} µs{theirs['ratio_to_floor']:>9.2f}{late(theirs)}" if theirs else " " * 42
        bench.say(f"{row['kind']:<34}{row['streams']:>8}{row['floor']['ns_per_packet'] / 1e3:>6.2f} µs{baton['ns_per_packet'] / 1e3:>7.2f} µs"
                  f"{baton['ratio_to_floor']:>9.2f}{baton['ns_over_plain'] / 1e3:>9.2f} µs{codec}{late(baton)}{other}{carried(row)}")
    behind = max(row[key]["load_behind_us"] for row in rows for key in ("floor", "baton"))
    if behind > 10_000:
        bench.say(f"The parties themselves were up to {behind / 1e3:.0f} ms behind: the machine had other things to do, and lateness and loss say nothing.")
    bench.say("codecs: decoding and encoding alone; of both: Baton's packet to a plain one of its own and the codecs together; carried: the"
              "\nmost streams on one core of which no packet is lost or late by a frame (+: the load or the search ended there)")
    if not any("rtpengine" in row for row in rows):
        bench.say("rtpengine: not installed, or not comparable")


def curves(bench, rows):
    named = {"a bare relay": "floor", "Baton": "baton", "rtpengine": "rtpengine"}
    present = {name: key for name, key in named.items() if all(key in row for row in rows)}
    bench.picture("relay-cost", "A relayed packet of RTP", "streams of 50 packets a second", "µs of CPU",
                  {name: [(row["streams"], row[key]["ns_per_packet"] / 1e3) for row in rows] for name, key in present.items()})
    bench.picture("relay-lateness", "Lateness of a relayed packet, p99", "streams of 50 packets a second", "ms",
                  {name: [(row["streams"], row[key]["late_us"]["p99"] / 1e3) for row in rows] for name, key in present.items()})


def section(bench):
    quick = ("--seconds", 0.4, "--rounds", 2) if bench.options.quick else ()
    rows = run(bench, *quick, *(("--streams", 100, "--search", 0) if quick else ()))
    table(bench, rows)
    by_streams = [run(bench, *quick, "--only", "rtp", "--streams", streams, "--search", 0)[0] for streams in ((50, 100) if quick else CURVE)]
    curves(bench, by_streams)
    memory = run(bench, "--memory", 20_000)[0]
    bench.say(f"\nrelay: {memory['endpoints']} endpoints take {memory['bytes_per_endpoint'] / 1e3:.1f} kB of resident memory each" +
              (f" ({memory['wanted']} were wanted; descriptors or ports permit no more)" if memory["endpoints"] < memory["wanted"] else ""))
    bench.result["sections"]["relay"] = {"kinds": rows, "by_streams": by_streams, "memory": memory}
