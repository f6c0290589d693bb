"""Turns a figure's SVG into a part of the page: no fetch, unique ids, colours and fonts of the page."""

import html
import re

# What the figures are drawn in: stand-ins that become the page's own variables, so that one drawing serves light, dark and print.
INK, MUTED, GRID, SURFACE = "#010101", "#020202", "#030303", "#040404"
SERIES = tuple(f"#0a0b{slot:02x}" for slot in range(16))
_VARIABLES = {INK: "ink", MUTED: "muted", GRID: "grid", SURFACE: "surface", **{colour: f"s{slot}" for slot, colour in enumerate(SERIES)}}


def inline(text: str, *, name: str, words: str) -> str:
    """Return the `<svg>` element of a drawing; `words` say what it shows to whoever cannot see it."""
    text = text[text.index("<svg") :].rstrip()
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    box = re.search(r'viewBox="([^"]+)"', text)
    if box is None:
        raise ValueError("expected an SVG with a viewBox")
    start = f'<svg viewBox="{box[1]}" role="img" aria-label="{html.escape(words)}">'
    text = start + text[text.index(">") + 1 :]
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r'xlink:href="#([^"]+)"', rf'href="#{name}-\1"', text)
    text = re.sub(r"font-family: [^;\"]*", "font-family: var(--sans)", text)
    text = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font: \1 var(--sans)", text)  # how other versions of matplotlib write it
    text = re.sub(r"#0[1-4a]0[1-4b][0-9a-f]{2}", lambda match: _variable(match[0]), text)
    return re.sub(r"\n\s*", "\n", text)


def _variable(colour: str) -> str:
    return f"var(--{_VARIABLES[colour]})" if colour in _VARIABLES else colour
