"""The report as one self-contained HTML page: the same bytes for the same store."""

from collections.abc import Sequence
from pathlib import Path

import jinja2

from suite.report import limitations, protocol, sections
from suite.report.colours import PALETTE, looks
from suite.report.comparison import Comparison, overall
from suite.report.entry import by_setting, entries
from suite.report.findings import over_all
from suite.result import Group

FOLDER = Path(__file__).parent


def html(name: str, groups: Sequence[Group]) -> str:
    """Return the page of this experiment; a store in the middle of a sweep gives a page that says what is missing.

    Raises:
        ValueError: there is nothing to report.
    """
    rows = entries(groups)
    if not rows:
        raise ValueError(f"the store holds nothing of {name!r} yet")
    comparisons = [Comparison(setting) for setting in by_setting(rows).values()]
    look, every = looks(entry.name for entry in rows if entry.block != "fitted"), overall(comparisons)
    template = _environment().get_template("page.html")
    text = template.render(
        name=name,
        css=(FOLDER / "page.css").read_text(encoding="utf-8"),
        palette=PALETTE,
        question=rows[0].experiment.get("question") or name,
        settings=[sections.section(comparison, look, number) for number, comparison in enumerate(comparisons, start=1)],
        glance=sections.glance(comparisons, look, every),
        overall=sections.overall_table(every, look),
        overall_finding=over_all(every),
        counts={
            "architectures": len(look),
            "tasks": len(comparisons),
            "trials": rows[0].experiment.get("trials"),
            "seeds": len(rows[0].experiment.get("seeds", ())),
            "runs": sum(len(entry.group.records) for entry in rows),
        },
        missing=[entry for entry in rows if not entry.finished],
        protocol=protocol.protocol(rows),
        provenance=protocol.provenance(rows),
        sources=protocol.sources(rows),
        limitations=limitations.limitations(rows),
    )
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip()) + "\n"


def _environment() -> jinja2.Environment:
    """Everything is escaped; a name that the template misspells is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
