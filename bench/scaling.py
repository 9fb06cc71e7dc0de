"""What calls and packets cost when several threads carry the audio, on every core there is."""
import time

from live import Live

THREADS = (0, 1, 2)


def section(bench):
    most = 300 if bench.options.quick else 500
    seconds = 2 if bench.options.quick else 10
    bench.say(f"\nscaling: threads that carry the audio (media.threads; 0: the thread that does SIP does it too), the server on all {bench.cores} cores, "
              "who measures on one of them")
    bench.say(f"{'threads':<9}{'calls/s':>9}{'CPU a call':>13}{'':<4}{most} transferred calls that talk: {'CPU a packet':>14}{'p99':>9}{'late':>6}{'lost':>8}"
              "   of a core, by thread")
    rows = []
    bench.result["sections"]["scaling"] = rows
    for threads in THREADS:
        with bench.server(media_threads=threads, core=None) as server:
            arguments = ("--in-flight", 100)
            bench.load(server, *arguments, "--calls", bench.count(1_000))  # warm
            calls = bench.median(server, *arguments, "--calls", bench.count(3_000))
        with bench.server(media_threads=threads, core=None) as server, Live(bench, server, most, rate=50, audio=True) as live:
            live.settled()
            before, began = server.threads(), time.monotonic()
            time.sleep(seconds)
            after, passed = server.threads(), time.monotonic() - began
            run = live.release()
        media = run["media"]
        spent = {name: after[name] - before.get(name, 0) for name in sorted(after)}
        row = {"threads": threads, "calls": calls, "live": most, "cores": {name: cpu / passed for name, cpu in spent.items()},
               "server_cpu_us_per_packet": sum(spent.values()) * 1e6 / (most * 100 * passed), "lost": media["sent"] - media["heard"], **media,
               "generator_load": run["generator_load"]}
        rows.append(row)
        bench.say(f"{threads:<9}{calls['calls_per_second']:>9.0f}{calls['server_cpu_us_per_call']:>10.0f} µs{'':<35}"
                  f"{row['server_cpu_us_per_packet']:>11.1f} µs{media['on_the_way']['p99_us']:>6.0f} µs{media['late_by_a_frame']:>6}"
                  f"{row['lost'] / max(media['sent'], 1):>8.3%}   " +
                  ", ".join(f"{name} {part:.0%}" for name, part in row["cores"].items() if part >= 0.005) +
                  ("  the generator is the limit" if run["generator_load"] > 0.9 or media["generator_behind_max_us"] > 20_000 else ""))
    bench.say("Threads share nothing for a packet: what one costs should not grow with them. How many more packets there are is to be seen where cores "
              "are left that who measures does not take.")
