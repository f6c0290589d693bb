"""Where results live: the address of the store, and the folder beside which artifacts, spool and reports lie."""

import os
import tomllib
from pathlib import Path

PROJECT = "sequence-suite"
NETWORK_DISKS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "gpfs", "beegfs", "fuse.sshfs", "fuse.glusterfs", "ceph", "9p"}
)
_SQLITE = "sqlite:///"


def location(uri: str | None = None) -> tuple[str, Path]:
    """Return the store's absolute address and its folder: `uri`, else MLFLOW_TRACKING_URI, else mlflow.db in the project's folder.

    Raises:
        ValueError: an address that is no database and no server.
    """
    given = uri or os.environ.get("MLFLOW_TRACKING_URI") or None
    if given is None:
        root = project_folder(Path.cwd())
        return f"{_SQLITE}{root / 'mlflow.db'}", root
    if given.startswith("sqlite:"):
        path = given.removeprefix(_SQLITE)
        if path == given or not path or path == ":memory:":
            raise ValueError(f"a SQLite store reads sqlite:///path/to/mlflow.db, got {given!r}")
        file = Path(path).expanduser().absolute()
        return f"{_SQLITE}{file}", file.parent
    if "://" not in given or given.startswith("file:"):
        raise ValueError(
            f"the store is a database or a server, as sqlite:///{Path(given.removeprefix('file://')).name or 'mlflow'}.db, got {given!r}"
        )
    return given, project_folder(Path.cwd())


def project_folder(start: Path) -> Path:
    """Return the checkout that holds `start`, or `start` itself outside one."""
    for folder in (start, *start.parents):
        if _is_checkout(folder / "pyproject.toml"):
            return folder
    return start


def sqlite_file(uri: str) -> Path | None:
    """Return the file of a SQLite address, or None for any other store."""
    return Path(uri.removeprefix(_SQLITE)) if uri.startswith(_SQLITE) else None


def on_network_disk(folder: Path) -> bool:
    """Return whether `folder` lies on a file system that cannot share SQLite's write-ahead log."""
    import psutil

    mounts = [(Path(disk.mountpoint), disk.fstype) for disk in psutil.disk_partitions(all=True)]
    held = [(len(mount.parts), kind) for mount, kind in mounts if folder.is_relative_to(mount)]
    return bool(held) and max(held)[1] in NETWORK_DISKS


def _is_checkout(file: Path) -> bool:
    try:
        return bool(tomllib.loads(file.read_text(encoding="utf-8")).get("project", {}).get("name") == PROJECT)
    except (OSError, ValueError):
        return False
