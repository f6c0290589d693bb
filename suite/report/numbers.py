"""Numbers as a reader wants them: sensible digits, thousands apart, one precision inside an interval."""

import math

NOTHING = "–"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | None, digits: int = 3) -> str:
    """Return `value` with so many significant digits, in powers of ten where it is tiny or huge."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if exponent < -4 or exponent >= 9:
        return _scientific(value, exponent, digits)
    return _signed(f"{value:,.{max(0, digits - 1 - exponent)}f}")


def estimate(value: float | None, low: float, high: float) -> tuple[str, str]:
    """Return an estimate and its interval in one precision: two digits of the interval's width."""
    if value is None or not math.isfinite(value):
        return NOTHING, NOTHING
    if not (math.isfinite(low) and math.isfinite(high)):
        return number(value), "no interval"
    width = high - low
    if width <= 0:
        return number(value), f"[{number(low)}, {number(high)}]"
    decimals = max(0, 1 - math.floor(math.log10(width)))
    while any(x != 0 and abs(x) < 0.5 * 10.0**-decimals for x in (low, high)) and decimals <= 7:
        decimals += 1  # an end beside 0 must not read as 0
    if decimals > 7:
        exponent = math.floor(math.log10(max(abs(low), abs(high))))
        scale, places = 10.0**exponent, max(1, decimals + exponent)
        inside = [_signed(f"{x / scale:.{places}f}") for x in (value, low, high)]
        power = f" × {_power(exponent)}"
        return inside[0] + power, f"[{inside[1]}, {inside[2]}]{power}"
    shown = [_signed(f"{x:,.{decimals}f}") for x in (value, low, high)]
    return shown[0], f"[{shown[1]}, {shown[2]}]"


def whole(value: float | None) -> str:
    """Return a count with its thousands apart."""
    return NOTHING if value is None or not math.isfinite(value) else _signed(f"{value:,.0f}")


def short(value: float | None) -> str:
    """Return a large number in three digits and k, M or G."""
    if value is None or not math.isfinite(value):
        return NOTHING
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= 0.9995 * size:
            return f"{number(value / size)} {unit}"
    return number(value)


def size(value: float | None) -> str:
    """Return bytes in B, KiB, MiB or GiB."""
    if value is None or not math.isfinite(value):
        return NOTHING
    for unit, step in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if abs(value) >= step:
            return f"{number(value / step)} {unit}"
    return f"{value:.0f} B"


def percent(value: float | None) -> str:
    """Return a share as a signed percentage, one decimal."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return "0 %" if abs(value) < 5e-4 else f"{'+' if value > 0 else '−'}{abs(value):.1%}".replace("%", " %")


def seconds(value: float | None) -> str:
    """Return a duration in seconds, minutes or hours."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value < 120:
        return f"{number(value)} s"
    return f"{number(value / 60)} min" if value < 7200 else f"{number(value / 3600)} h"


def probability(value: float | None) -> str:
    """Return a p value in two digits, small ones as a bound."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return "< 0.001" if value < 1e-3 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def tick(value: float) -> str:
    """Return the label of a tick: as short as it can be."""
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)) + 1e-9)
    if 6 <= exponent < 12:
        unit, step = ("M", 1e6) if exponent < 9 else ("G", 1e9)
        return f"{_signed(f'{value / step:g}')}{unit}"
    if exponent >= 12 or exponent < -3:
        factor = value / 10.0**exponent
        return _power(exponent) if abs(factor - 1) < 1e-6 else f"{_signed(f'{factor:g}')}×{_power(exponent)}"
    if exponent >= 3:
        return f"{_signed(f'{value / 1000:g}')}k"
    return _signed(f"{round(value, 10):g}")


def join(names: list[str]) -> str:
    """Return names as an enumeration in words."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def _signed(text: str) -> str:
    return text.replace("-", "−")


def _power(exponent: int) -> str:
    return f"10{str(exponent).translate(_RAISED)}"


def _scientific(value: float, exponent: int, digits: int) -> str:
    return f"{_signed(f'{value / 10.0**exponent:.{digits - 1}f}')} × {_power(exponent)}"
