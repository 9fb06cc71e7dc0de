"""What calls and messages cost, how fast they come, how long a transfer takes, and how late audio is."""
import time

from live import Live

# kind, transport, direction, trace, recording
ROWS = [("plain", "udp", "inbound", False, False), ("transfer", "udp", "inbound", False, False),
        ("plain", "tcp", "inbound", False, False), ("transfer", "tcp", "inbound", False, False),
        ("plain", "tls", "inbound", False, False), ("transfer", "tls", "inbound", False, False),
        ("plain", "udp", "outbound", False, False), ("transfer", "udp", "outbound", False, False),
        ("transfer", "udp", "inbound", True, False), ("transfer", "udp", "inbound", False, True)]

# How long the server remembers a request that came over UDP (RFC 3261 17.2.2, Timer J), and a second.
FORGOTTEN_AFTER = 33


def floor(bench):
    sizes = {size: bench.echo(size) for size in (300, 600, 900)}
    bench.say("floor: a bare UDP echo, CPU for a message received and one sent: " +
              ", ".join(f"{size} bytes {us:.2f} µs" for size, us in sizes.items()))
    bench.result["sections"]["floor"] = sizes


def capacity(bench):
    """CPU per call and calls a second, as fast as the server takes them."""
    bench.say("\ncapacity: 100 calls in flight, the server on one core, all audio in the thread that does SIP; the median of 3 runs")
    bench.say(f"{'call':<10}{'direction':<10}{'by':<5}{'':<10}{'calls/s':>9}{'CPU a call':>13}{'least, most':>15}{'messages':>10}"
              f"{'floor':>9}{'ratio':>7}{'generator':>11}")
    table = []
    bench.result["sections"]["capacity"] = table
    for kind, transport, direction, trace, record in ROWS:
        with bench.server(transport=transport, trace=trace, record=record) as server:
            arguments = ("--kind", kind, "--direction", direction, "--in-flight", 100)
            bench.load(server, *arguments, "--calls", bench.count(1_000))  # warm
            # More would be more transactions within Timer J (32 s) than a server keeps.
            run = bench.median(server, *arguments, "--calls", bench.count(3_000))
        run.update(kind=kind, transport=transport, trace=trace, record=record, direction=direction)
        run["floor_us_per_call"] = run["messages_per_call"] / 2 * bench.echo(run["bytes_per_message"])
        run["ratio_to_floor"] = run["server_cpu_us_per_call"] / run["floor_us_per_call"]
        table.append(run)
        extra = "trace" if trace else "recording" if record else ""
        least, most = run["spread_us"]
        bench.say(f"{kind:<10}{direction:<10}{transport:<5}{extra:<10}{run['calls_per_second']:>9.0f}"
                  f"{run['server_cpu_us_per_call']:>10.0f} µs{least:>9.0f}–{most:<5.0f}{run['messages_per_call']:>10.1f}"
                  f"{run['floor_us_per_call']:>6.0f} µs{run['ratio_to_floor']:>7.2f}{run['generator_cpu_us_per_call']:>8.0f} µs" +
                  limit_of(run))
        bench.say(f"{'':<10}of it by thread: " + ", ".join(f"{name} {us:.0f} µs" for name, us in
                                                         run["server_threads_us_per_call"].items() if us >= 0.5))
    bench.say("Records are always written; what they cost is the thread store.")


def limit_of(run):
    """Why the figure may be that of who measures."""
    if run["generator_is_the_limit"]:
        return "  the generator is the limit"
    if run["generator_cpu_us_per_call"] > run["server_cpu_us_per_call"]:
        return "  the generator costs more than the server"
    return ""


def transferred(bench):
    table = bench.result["sections"].get("capacity")
    if not table:
        capacity(bench)
        table = bench.result["sections"]["capacity"]
    return next(run for run in table if run["kind"] == "transfer" and run["transport"] == "udp" and not run["trace"])


def dialog(bench):
    """A request within a dialog and its answer, beside an echo of messages of that size."""
    calls = 100
    # The server remembers each for 32 s and has a bound of 200,000: what is measured stays well below.
    requests = bench.count(500)
    rows = []
    bench.result["sections"]["dialog"] = rows
    bench.say("\nwithin a dialog: CPU of the whole server for a request of the endpoint's, over UDP, 100 calls at once, after warm-up;\n"
              "what calls with one request take is taken off")
    bench.say(f"{'request':<28}{'a second':>10}{'CPU':>10}{'messages':>10}{'bytes':>8}{'floor':>10}{'ratio':>7}{'generator':>11}")
    with bench.server() as server:
        for name, arguments in (("warm", ("--method", "OPTIONS")), ("OPTIONS, answered", ("--method", "OPTIONS")),
                                ("UPDATE, answered", ("--method", "UPDATE")), ("re-INVITE, answered, ACK", ("--method", "INVITE")),
                                ("INFO, passed on", ("--method", "INFO", "--passed-on"))):
            arguments = ("--calls", calls, "--in-flight", calls, *arguments)
            setting_up = bench.median(server, *arguments, "--requests", 1)
            run = bench.median(server, *arguments, "--requests", requests)
            if not bench.options.quick:
                time.sleep(FORGOTTEN_AFTER)
            if name == "warm":
                continue
            run["name"] = name
            run["requests_per_second"] = run["requests"] / run["seconds"]
            for what in ("server_cpu_us", "generator_cpu_us", "messages"):
                run[f"{what}_per_request"] = (run[f"{what}_per_call"] - setting_up[f"{what}_per_call"]) / (requests - 1)
            run["floor_us_per_request"] = run["messages_per_request"] / 2 * bench.echo(run["bytes_per_message"])
            run["ratio_to_floor"] = run["server_cpu_us_per_request"] / run["floor_us_per_request"]
            rows.append(run)
            bench.say(f"{name:<28}{run['requests_per_second']:>10.0f}{run['server_cpu_us_per_request']:>7.1f} µs"
                      f"{run['messages_per_request']:>10.2f}{run['bytes_per_message']:>8.0f}{run['floor_us_per_request']:>7.1f} µs"
                      f"{run['ratio_to_floor']:>7.2f}{run['generator_cpu_us_per_request']:>8.1f} µs" + limit_of(run))


def latency(bench):
    """How long a transfer takes at so much of what the server can do."""
    most = transferred(bench)
    rows = []
    bench.result["sections"]["latency"] = rows
    bench.say("\nlatency of a transfer, over UDP, calls begun at a rate whatever becomes of those before")
    bench.say(f"{'load':<6}{'calls/s':>9}{'':<4}REFER to INVITE at the target: p50, p99, p99.9   REFER to NOTIFY 200: p50, p99, p99.9")
    for part in (0.1, 0.3, 0.5, 0.7, 0.9):
        rate = part * most["calls_per_second"]
        with bench.server() as server:
            seconds = 3 if bench.options.quick else 15
            pauses = ("--talk-ms", 200, "--after-ms", 200)
            bench.load(server, "--rate", f"{rate:.1f}", "--calls", int(rate * 2), *pauses)  # warm
            run = bench.load(server, "--rate", f"{rate:.1f}", "--calls", int(rate * seconds), *pauses)
        rows.append({"part": part, "rate": rate, **run})
        invite, notify = run["refer_to_invite"], run["refer_to_notify"]
        bench.say(f"{part:<6.0%}{rate:>9.0f}{'':<16}{invite['p50_us']:>8.0f} {invite['p99_us']:>8.0f} {invite['p999_us']:>8.0f} µs"
                  f"{'':<13}{notify['p50_us']:>8.0f} {notify['p99_us']:>8.0f} {notify['p999_us']:>8.0f} µs" + limit_of(run))
    for what, title in (("refer_to_invite", "REFER to INVITE at the target"), ("refer_to_notify", "REFER to NOTIFY 200")):
        bench.picture(what, title, "transferred calls a second", "µs",
                      {name: [(row["rate"], row[what][key]) for row in rows]
                       for name, key in (("p50", "p50_us"), ("p99", "p99_us"), ("p99.9", "p999_us"))})


def audio(bench):
    """Transferred calls that talk: 50 packets a second each way in each; how late they are and how many are lost."""
    rows = []
    bench.result["sections"]["audio"] = rows
    seconds = 2 if bench.options.quick else 10
    bench.say(f"\naudio: transferred calls that talk, for {seconds} s; from sent to arrived, through the server")
    bench.say(f"{'calls':>6}{'':<11}{'packets/s':>10}{'CPU a packet':>14}{'core':>6}{'p50':>9}{'p99':>9}{'p99.9':>9}{'max':>10}"
              f"{'late':>6}{'lost':>8}")
    for live, record in ((50, False), (200, False), (400, False), (600, False), (200, True)):
        live = bench.count(live)
        with bench.server(record=record) as server, Live(bench, server, live, rate=50, audio=True) as calls:
            calls.settled()
            # The last second of each is longer for those that came first: packets count from here, in the server's CPU too.
            before, began = server.cpu(), time.monotonic()
            time.sleep(seconds)
            spent, passed = server.cpu() - before, time.monotonic() - began
            run = calls.release()
        media = run["media"]
        packets = live * 100 * passed
        row = {"live": live, "record": record, "packets_per_second": live * 100, "server_core": spent / passed,
               "server_cpu_us_per_packet": spent * 1e6 / packets, "lost": media["sent"] - media["heard"], **media,
               "generator_load": run["generator_load"]}
        rows.append(row)
        way = media["on_the_way"]
        bench.say(f"{live:>6} {'recording' if record else '':<10}{row['packets_per_second']:>10}{row['server_cpu_us_per_packet']:>11.1f} µs"
                  f"{row['server_core']:>6.0%}{way['p50_us']:>6.0f} µs{way['p99_us']:>6.0f} µs{way['p999_us']:>6.0f} µs{way['max_us']:>7.0f} µs"
                  f"{media['late_by_a_frame']:>6}{row['lost'] / max(media['sent'], 1):>8.3%}" +
                  ("  the generator is the limit" if run["generator_load"] > 0.9 or media["generator_behind_max_us"] > 20_000 else ""))
    bench.say("Late: by a frame of 20 ms or more. Lost: with those sent to a party that had just gone.")
    plain = [row for row in rows if not row["record"]]
    bench.picture("audio", "Audio through the server, from sent to arrived", "packets a second", "µs",
                  {name: [(row["packets_per_second"], row["on_the_way"][key]) for row in plain]
                   for name, key in (("p50", "p50_us"), ("p99", "p99_us"), ("p99.9", "p999_us"))})
