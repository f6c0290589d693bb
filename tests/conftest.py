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
