"""`suite bench`: the measurements as a table, as JSON, or as a page."""

import json
from pathlib import Path
from typing import Any

import click

from suite import console

PEERS = ("keras.layers", "torch.nn", "jax scan")
SIZES = ("quick", "full", "check")


@click.group(invoke_without_command=True)
@click.option("--quick", "size", flag_value="quick", help="The headline shapes only, at most 5 minutes.")
@click.option("--check", "size", flag_value="check", help="Tiny shapes: to see that it works, not how fast it is.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a script instead of a table.")
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with tables and figures as well.")
@click.option("--peer", "peers", multiple=True, type=click.Choice(PEERS), help="Only against this one; may be given again.")
@click.pass_context
def bench(context: click.Context, size: str | None, as_json: bool, page: Path | None, peers: tuple[str, ...]) -> None:
    """Time our layers against keras.layers and, where they are installed, torch.nn and a JAX scan.

    Forward, backward and Adam; every subject in a process of its own, turn by turn; medians, and the ratio turn by turn.
    A busy host hurts torch.nn most: its load is printed, and above the number of cores a figure means little.
    """
    if context.invoked_subcommand is not None:
        return
    from suite.bench import measure
    from suite.bench import peers as others

    wanted = [peer for peer in (peers or PEERS) if others.installed(peer)]
    for peer in set(peers or PEERS) - set(wanted):
        click.echo(f"{peer} is not installed: pip install -e '.[bench]'", err=True)
    rows = [row.to_json() for row in measure.everything(size or "full", wanted, tell=lambda text: click.echo(text, err=True))]
    if page is not None:
        from suite.bench.page import html

        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(html(rows), encoding="utf-8")
        click.echo(f"page: {page}", err=True)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    columns = ("cell", "shape", "subject", "ms", "peer", "ms", "ratio", "middle half", "GFLOP/s", "of peak", "tokens/s", "MiB", "load")
    console.table(columns, [_cells(row) for row in rows])


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a script instead of a table.")
def costs(as_json: bool) -> None:
    """Time what a sweep pays for each trial beyond its steps."""
    from suite.bench import costs as measured

    found = measured.costs()
    if as_json:
        click.echo(json.dumps(measured.to_json(found), indent=2))
        return
    rows = [[cost.cell, cost.what, f"{cost.value:.3g} {cost.unit}", console.cell(cost.limit)] for cost in found]
    console.table(("cell", "what", "found", "at most"), rows)


@bench.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a script instead of a table.")
def tasks(names: tuple[str, ...], as_json: bool) -> None:
    """Time what making a batch costs beside a training step of a small Elman layer; all tasks, or those of these NAMES.

    In processor time on one thread. Exit code 1 where making a batch takes over a tenth of the step.
    """
    from suite.bench import pipeline

    found = list(pipeline.everything(names, tell=lambda text: click.echo(text, err=True)))
    if as_json:
        click.echo(json.dumps([row.to_json() for row in found], indent=2))
    else:
        rows = [[row.task, str(row.length), f"{row.batch:.0f}", f"{row.step:,.0f}", f"{row.share:.1%}"] for row in found]
        console.table(("task", "length", "microseconds a batch", "microseconds a step", "share"), rows)
    if any(row.share > pipeline.LIMIT for row in found):
        raise SystemExit(1)


def _cells(row: dict[str, Any]) -> list[str]:
    ours, theirs = (row["medians"][name] for name in (row["subject"], row["peer"]))
    low, high = row["quartiles"]
    return [
        row["cell"],
        row["shape"],
        row["subject"],
        f"{ours:.3g}",
        row["peer"],
        f"{theirs:.3g}",
        f"{row['ratio']:.2f}",
        f"{low:.2f} to {high:.2f}",
        f"{row['gflops']:.0f}",
        f"{row['share_of_peak']:.0%}",
        f"{row['tokens_per_second']:,.0f}",
        f"{row['peak_mib'][row['subject']]:,.0f}",
        f"{row['load']:.1f}",
    ]
