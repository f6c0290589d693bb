"""The command line: it selects and bounds, and never configures. Heavy packages load only in the command that needs them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import click

from suite import __version__, console
from suite.bench.command import bench

PLURALS = ("architectures", "tasks", "experiments")

_store_option = click.option(
    "--tracking-uri",
    "uri",
    metavar="URI",
    help="Address of the MLflow store. Default: MLFLOW_TRACKING_URI, else mlflow.db at the project's root.",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for a script instead of a table.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="suite")
def cli() -> None:
    """Compare sequence architectures fairly: same size, same tuning budget, fresh seeds, sealed test.

    Begin with `suite run quickstart`, then `suite ui`. Exit codes: 0 done, 1 some trial failed or a check did not
    hold, 2 bad usage, 130 interrupted (run the same command again to continue).
    """


@cli.command("list")
@click.argument("kind", type=click.Choice(PLURALS))
@_json_option
def list_(kind: str, as_json: bool) -> None:
    """Show what is registered, ours and that of other packages.

    Architectures stand with the parameters and the bytes of state of one layer 128 wide; docs/architectures.md tells them in full.
    """
    from suite import listing

    rows = listing.rows(kind)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    columns = {
        "architectures": ("name", "family", "source", "kinds", "can", "role", "parameters", "state"),
        "tasks": ("name", "kind", "length", "main", "floors", "source"),
        "experiments": ("name", "question", "settings", "architectures", "trials", "seeds", "trainings"),
    }[kind]
    console.table(columns, [[console.cell(row.get(column)) for column in columns] for row in rows])
    for row in rows:
        if row.get("missing"):
            click.echo(f"{row['name']}: {row['missing']}", err=True)


@cli.command()
@click.argument("experiment")
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes; 1 trains in this process. Default: one for each core.")
@click.option("--accept-code", is_flag=True, help="Keep results of other code beside new ones, and mark them.")
@click.option("--rerun", is_flag=True, help="Run again what other code has produced.")
@_store_option
def run(experiment: str, workers: int | None, accept_code: bool, rerun: bool, uri: str | None) -> None:
    """Tune, evaluate and report EXPERIMENT: a name, or a file like my_question.py. Run it again to continue."""
    if accept_code and rerun:
        raise click.UsageError("--accept-code and --rerun exclude each other")
    signal.signal(signal.SIGTERM, _interrupt)
    from suite import doctor, plugins, progress

    question = plugins.question(experiment)
    from suite import executor, sweep

    click.echo(f"question: {question.experiment.question}", err=True)
    with executor.open(workers or doctor.cores(), ahead="suite.training") as pool, progress.listener() as listener:
        store = _store(uri)
        outcome = sweep.run(question, store=store, executor=pool, listener=listener, accept_code=accept_code, rerun=rerun)
    path = _write_report(store, question.name, None)
    _summary(store, question.name)
    click.echo(f"report: {path}", err=True)
    click.echo(f"MLflow: suite ui{'' if uri is None else f' --tracking-uri {uri}'}", err=True)
    if outcome.failed:
        click.echo(f"{outcome.failed} of {outcome.total} trials failed; each is scored as the floor", err=True)
        raise SystemExit(1)


@cli.command()
@click.argument("kind")
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--columns", default="", metavar="A,B", help="Which columns of a table to read; of texts, that of the text and of the label.")
@click.option("--target", default="", metavar="A", help="Which column to forecast.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="The file to write. Default: <data>_<kind>.py, here.")
def new(kind: str, files: tuple[Path, ...], columns: str, target: str, output: Path | None) -> None:
    """Write a question on your own FILES, for `suite run`: sentiment, charlm, translation, labelling or forecasting.

    The data are read whole and frozen by their sha256; what is wrong with them is told by file and line, and then nothing
    is written.
    """
    from suite import new as definition
    from suite.starter import Given

    names = tuple(name.strip() for name in columns.split(",") if name.strip())
    path = definition.write(kind, Given(files=files, columns=names, target=target), output)
    click.echo(f"wrote {path}; next: suite run {path if path.is_absolute() else f'./{path}'}")


@cli.command()
@click.argument("experiment")
@_json_option
@_store_option
def status(experiment: str, as_json: bool, uri: str | None) -> None:
    """Show how far EXPERIMENT has come."""
    from suite.report import tables

    rows = tables.progress(_groups(_store(uri), _name(experiment)))
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    console.table(tuple(rows[0]), [[console.cell(value) for value in row.values()] for row in rows])


@cli.command()
@click.argument("experiment")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Where the page goes. Default: reports/<name>.html beside the store."
)
@click.option("--csv", "as_csv", is_flag=True, help="Print the tables as CSV instead of writing the page.")
@_json_option
@_store_option
def report(experiment: str, output: Path | None, as_csv: bool, as_json: bool, uri: str | None) -> None:
    """Rebuild the report of EXPERIMENT from the store: one HTML page, or its tables."""
    from suite.report import tables

    store, name = _store(uri), _name(experiment)
    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other")
    if as_csv or as_json:
        groups = _groups(store, name)
        text = tables.csv_text(groups) if as_csv else tables.json_text(groups)
        if output is None:
            click.echo(text, nl=not text.endswith("\n"))
        else:
            output.write_text(text, encoding="utf-8")
        return
    click.echo(_write_report(store, name, output))


@cli.command()
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@_store_option
def ui(port: int, host: str, uri: str | None) -> None:
    """Open MLflow's own interface on the right store."""
    store = _store(uri)
    click.echo(f"http://{host}:{port}  (Ctrl-C ends it; group runs by the tags architecture, task, seed)", err=True)
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", store.uri, "--host", host, "--port", str(port)]
    raise SystemExit(subprocess.call(command))


@cli.command()
@_json_option
@_store_option
def doctor(as_json: bool, uri: str | None) -> None:
    """Check this installation, the machine and the store."""
    from suite import doctor as examination
    from suite import tracking

    address, root = tracking.location(uri)
    checks = examination.checks(address, root)
    if as_json:
        click.echo(json.dumps([check._asdict() for check in checks], indent=2))
    else:
        marks = {True: "ok", False: "FAILS", None: "note"}
        console.table(("", "check", "found", "advice"), [[marks[c.good], c.name, c.found, c.advice] for c in checks])
    if any(check.good is False for check in checks):
        raise SystemExit(1)


cli.add_command(bench)


@cli.group()
def data() -> None:
    """Corpora: what there is, what lies here, and how to get the rest."""


@data.command("list")
@_json_option
def data_list(as_json: bool) -> None:
    """Show each corpus with its size, licence, source, and whether it is here."""
    from suite import corpus, plugins

    rows = corpus.listing([entry.value for entry in plugins.table("CORPORA").values()])
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        console.table(tuple(rows[0]), [[console.cell(value) for value in row.values()] for row in rows])


@data.command("get")
@click.argument("name")
def data_get(name: str) -> None:
    """Fetch corpus NAME, check its sha256, and keep it in SUITE_DATA (default: your cache folder)."""
    from suite import corpus, plugins

    def told(file: str, done: int, total: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{file}: {done:,} of {total:,} bytes", err=True, nl=False)

    folder = corpus.get(plugins.corpus(name), progress=told)
    if sys.stderr.isatty():
        click.echo(err=True)
    click.echo(folder)


def main() -> None:
    """Run the command line; a user's mistake is one line and exit code 2, never a traceback (SUITE_DEBUG=1 shows it)."""
    try:
        code = cli.main(prog_name="suite", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; the same command continues", err=True)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except (ValueError, OSError) as error:
        if os.environ.get("SUITE_DEBUG"):
            raise
        click.echo(f"suite: {error}", err=True)
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _store(uri: str | None) -> Any:
    from suite.tracking import Store

    store = Store(uri)
    click.echo(f"store: {store.uri}", err=True)
    return store


def _name(experiment: str) -> str:
    """The name under which the store holds it; the definition itself may be gone."""
    from suite import plugins

    return plugins.question(experiment).name if ".py" in experiment else experiment


def _groups(store: Any, name: str) -> Any:
    groups = store.groups(name)
    if not groups:
        from suite import plugins

        plugins.question(name)  # a misspelt name says so
        raise ValueError(f"the store holds nothing of {name!r} yet: suite run {name}")
    return groups


def _write_report(store: Any, name: str, output: Path | None) -> Path:
    from suite.report import page

    path = output or store.root / "reports" / f"{name}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(path.suffix + ".partial")
    partial.write_text(page.html(name, _groups(store, name)), encoding="utf-8")
    partial.replace(path)
    return path


def _summary(store: Any, name: str) -> None:
    """The result as a table on stdout, when a run is done."""
    from suite.report import tables

    columns, rows = tables.summary(store.groups(name))
    console.table(columns, rows)
