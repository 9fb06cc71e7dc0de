"""A curve as an SVG picture: enough for a measurement, no more."""
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 78, 150, 40, 52
COLOURS = ["#1f6fb4", "#d1495b", "#3b8a4f", "#8a5fbf", "#c98a1b"]


def _ticks(top):
    """Round numbers from 0 to beyond `top`."""
    step = 10 ** len(str(int(top))) / 100 if top >= 1 else top / 4 or 1
    while top / step > 6:
        step *= 2 if top / (step * 2) <= 6 or str(step)[0] == "1" else 2.5
    ticks = [0.0]
    while ticks[-1] < top:
        ticks.append(ticks[-1] + step)
    return ticks


def _text(number):
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.2g}"


def svg(title, x_name, y_name, curves):
    """`curves`: name → list of (x, y)."""
    points = [point for curve in curves.values() for point in curve]
    xs, ys = _ticks(max(p[0] for p in points) or 1), _ticks(max(p[1] for p in points) or 1)
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def at(x, y):
        return f"{LEFT + wide * x / xs[-1]:.1f},{TOP + high * (1 - y / ys[-1]):.1f}"

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           f'<text x="{LEFT}" y="22" font-size="14" font-weight="bold">{escape(title)}</text>']
    for y in ys:
        here = at(0, y).split(",")[1]
        out.append(f'<path d="M{LEFT} {here}H{LEFT + wide}" stroke="#ddd"/>'
                   f'<text x="{LEFT - 8}" y="{float(here) + 4:.1f}" text-anchor="end">{_text(y)}</text>')
    for x in xs:
        here = at(x, 0).split(",")[0]
        out.append(f'<text x="{here}" y="{TOP + high + 18}" text-anchor="middle">{_text(x)}</text>')
    out.append(f'<text x="{LEFT + wide / 2}" y="{HEIGHT - 12}" text-anchor="middle">{escape(x_name)}</text>')
    out.append(f'<text transform="translate(16 {TOP + high / 2}) rotate(-90)" text-anchor="middle">{escape(y_name)}</text>')
    for i, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[i % len(COLOURS)]
        path = " ".join(at(x, y) for x, y in sorted(curve))
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y in curve:
            cx, cy = at(x, y).split(",")
            out.append(f'<circle cx="{cx}" cy="{cy}" r="3" fill="{colour}"/>')
        row = TOP + 14 + 18 * i
        out.append(f'<path d="M{LEFT + wide + 14} {row - 4}h18" stroke="{colour}" stroke-width="2"/>'
                   f'<text x="{LEFT + wide + 38}" y="{row}">{escape(name)}</text>')
    return "\n".join(out + ["</svg>", ""])
