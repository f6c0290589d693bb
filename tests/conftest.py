"""What many tests share: a store that is migrated once a session, and the repository's root on the path of every worker."""

import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """An empty store; making one takes seconds, copying it none."""
    from suite.tracking import Store

    folder = tmp_path_factory.mktemp("migrated")
    Store(f"sqlite:///{folder}/mlflow.db").prepare()
    return folder / "mlflow.db"


@pytest.fixture
def store(migrated, tmp_path):
    """An empty store of this test alone."""
    from suite.tracking import Store

    shutil.copy(migrated, tmp_path / "mlflow.db")
    return Store(f"sqlite:///{tmp_path}/mlflow.db")


def pytest_collection_modifyitems(items):
    """Put the contract tests of one architecture together: each of its models is built once, in one process."""
    places = [place for place, item in enumerate(items) if item.path.name == "test_architecture_contract.py"]
    ordered = sorted((items[place] for place in places), key=lambda item: str(item.callspec.params.get("name")))
    for place, item in zip(places, ordered, strict=True):
        items[place] = item
