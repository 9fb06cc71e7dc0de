"""The table of the README, from what has been measured."""


BEGIN, END = "<!-- figures: printed by ./dev bench readme -->\n", "<!-- end of figures -->\n"
RELAYED = {"rtp": "RTP relayed", "srtp-AEAD_AES_128_GCM": "SRTP (AES-128-GCM) to SRTP", "rtp-srtp-AES_CM_128_HMAC_SHA1_80": "RTP to SRTP (AES-CM)",
           "pcmu-pcma": "PCMU to PCMA", "pcmu-g722": "PCMU to G.722", "pcmu-opus": "PCMU to Opus"}


def put(text, path):
    """In place of what stands between the two marks of that file."""
    whole = path.read_text()
    before, rest = whole.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    path.write_text(before + BEGIN + "\n" + text + "\n" + END + after)


def table(result):
    of, sections = result["machine"], result["sections"]
    rows = []

    def row(what, figure, beside=""):
        rows.append(f"| {what} | {figure} | {beside} |")

    echo = sections.get("floor")
    for run in sections.get("capacity", []):
        if run["direction"] == "outbound":
            continue
        name = {"plain": "Plain call", "transfer": "Transferred call"}[run["kind"]] + f", {run['transport'].upper()}"
        name += ", traced" if run["trace"] else ", recording set up" if run["record"] else ""
        row(name, f"{run['server_cpu_us_per_call']:.0f} µs CPU; {run['calls_per_second']:.0f} a second on a core",
            f"{run['ratio_to_floor']:.1f} × bare UDP echo of its {run['messages_per_call']:.0f} messages")
    for run in sections.get("dialog", []):
        row(f"Request within a dialog: {run['name']}", f"{run['server_cpu_us_per_request']:.1f} µs CPU",
            f"{run['ratio_to_floor']:.1f} × bare UDP echo of its {run['messages_per_request']:.0f} messages")
    for run in sections.get("latency", []):
        if run["part"] in (0.1, 0.5, 0.9):
            invite, notify = run["refer_to_invite"], run["refer_to_notify"]
            row(f"REFER to INVITE at the target, {run['part']:.0%} of capacity", f"p50 {milliseconds(invite['p50_us'])}, p99 {milliseconds(invite['p99_us'])}",
                f"to the final NOTIFY: p99 {milliseconds(notify['p99_us'])}")
    for run in sections.get("memory", {}).get("rows", []):
        live, after, empty = run["first"]["live"], run["first"]["after"], run["empty"]
        row(f"{run['calls']:,} live transferred calls, {run['processes']} process{'es' if run['processes'] > 1 else ''}",
            f"{live['resident'] / 1e6:.0f} MB resident, {empty['resident'] / 1e6:.0f} MB of it without calls; a call {(live['resident'] - empty['resident']) / run['calls'] / 1e3:.1f} kB",
            f"{(live['heap'] - empty['heap']) / run['calls'] / 1e3:.1f} kB of heap a call; heap {empty['heap'] / 1e6:.1f} MB before them, {after['heap'] / 1e6:.1f} MB after")
    for run in sections.get("relay", {}).get("kinds", []):
        if run["kind"] not in RELAYED:
            continue
        theirs, carries = run.get("rtpengine"), run.get("carries")
        row(f"{RELAYED[run['kind']]}, {run['streams']:,} streams", f"{run['baton']['ns_per_packet'] / 1e3:.1f} µs CPU a packet, {run['baton']['ratio_to_floor']:.2f} × a bare relay"
            + (f"; {carries['streams']:,} streams on a core" if carries else ""),
            f"rtpengine: {theirs['ratio_to_floor']:.2f} ×" if theirs else "")
    for run in sections.get("audio", []):
        if not run["record"]:
            row(f"{run['live']} transferred calls that talk", f"{run['server_core']:.0%} of a core; p99 {milliseconds(run['on_the_way']['p99_us'])} on the way",
                f"{run['late_by_a_frame']} of {run['heard']:,} packets late by a frame")
    for run in sections.get("scaling", []):
        row(f"{run['live']} transferred calls that talk, {run['threads'] or 'no'} thread{'s' if run['threads'] > 1 else ''} for the audio, on all cores",
            f"{run['server_cpu_us_per_packet']:.1f} µs CPU a packet; {run['calls']['server_cpu_us_per_call']:.0f} µs a call",
            ", ".join(f"{name} {part:.0%} of a core" for name, part in run["cores"].items() if part >= 0.005))
    if "compare" in sections:
        baton, kamailio = sections["compare"]["Baton"], sections["compare"]["Kamailio"]
        row("The same plain calls through Kamailio as a proxy", f"{kamailio['server_cpu_us_per_call']:.0f} µs CPU a call", f"Baton: {baton['server_cpu_us_per_call']:.0f} µs")
    if "soak" in sections:
        soak = sections["soak"]
        row(f"Soak, {soak['seconds'] / 60:.0f} min at {soak['rate']:.0f} transferred calls a second", f"{soak['run']['completed']:,} calls, {soak['run']['errors']} errors, {soak['run']['refused']:,} refused (503)",
            f"{soak['heap_bytes_per_call']:+.2f} bytes of heap a call")
    head = f"`./dev bench` on {of['cpu']}, Linux {of['kernel']}, commit {of['commit']}, {of['date']}; all threads on one core; medians"
    if echo:
        head += f". A bare UDP echo of 600 bytes takes {echo['600'] if '600' in echo else echo[600]:.1f} µs there"
    stolen = max(result.get("stolen", {}).values(), default=0)
    if stolen >= 0.005:
        head += f". The virtual machine was kept from up to {stolen:.1%} of a core meanwhile, which shows in latencies"
    return "\n".join([head + ":", "", "| | Baton | beside |", "|---|---|---|", *rows]) + "\n"


def milliseconds(us):
    return f"{us / 1000:.2f} ms" if us < 10_000 else f"{us / 1000:.0f} ms"
