"""What the design asks for, beside what was measured."""


def judged(result):
    """(what, wanted, measured, met) of each target whose section has been measured."""
    sections = result["sections"]
    found = []

    def judge(what, wanted, measured, met):
        found.append({"what": what, "wanted": wanted, "measured": measured, "met": bool(met)})

    for run in sections.get("dialog", []):
        judge(f"request within a dialog: {run['name']}", "≤ 1.5 × echo", f"{run['ratio_to_floor']:.2f} ×", run["ratio_to_floor"] <= 1.5)
    for run in sections.get("capacity", []):
        if run["kind"] == "transfer" and run["transport"] == "udp" and not run["trace"] and not run["record"]:
            judge(f"transferred call, {run['direction']}", "≤ 200 µs CPU", f"{run['server_cpu_us_per_call']:.0f} µs",
                  run["server_cpu_us_per_call"] <= 200)
    for run in sections.get("relay", {}).get("kinds", [])[:1]:
        judge(f"relayed packet, {run['kind']}", "≤ 1.25 × bare relay", f"{run['baton']['ratio_to_floor']:.2f} ×",
              run["baton"]["ratio_to_floor"] <= 1.25)
    for run in sections.get("relay", {}).get("kinds", []):
        if "codec_ns" in run:
            judge(f"transcoded packet, {run['kind']}", "≤ 1.10 × plain and codecs", f"{run['ratio_to_plain_and_codec']:.2f} ×",
                  run["ratio_to_plain_and_codec"] <= 1.1)
    for run in sections.get("latency", []):
        if run["part"] == 0.5:
            late = run["refer_to_invite"]["p99_us"]
            judge("REFER to INVITE at half load", "p99 < 1 ms", f"{late / 1000:.2f} ms", late < 1_000)
    for run in sections.get("memory", {}).get("rows", []):
        if run["calls"] == 10_000:
            resident = run["first"]["live"]["resident"]
            judge("10,000 live transferred calls", "≤ 150 MB resident", f"{resident / 1e6:.0f} MB in {run['processes']} processes", resident <= 150e6)
    talking = [run for run in sections.get("audio", []) if not run["record"]]
    if talking:
        late = sum(run["late_by_a_frame"] for run in talking)
        judge(f"audio of up to {talking[-1]['live']} transferred calls", "no packet late by a frame", f"{late} late", late == 0)
    if "soak" in sections and sections["soak"]["leak"] is not None:
        run = sections["soak"]["run"]
        judge("soak", "no leak, error or refusal", f"{sections['soak']['heap_bytes_per_call']:+.2f} B a call, {run['refused']} refused",
              not sections["soak"]["leak"] and run["errors"] + run["refused"] == 0)
    return found


def say(bench):
    found = judged(bench.result)
    bench.result["targets"] = found
    if found:
        bench.say("\nwhat the design asks for")
    for each in found:
        bench.say(f"{each['what']:<56}{each['wanted']:>26}{each['measured']:>28}   {'met' if each['met'] else 'NOT MET'}")
