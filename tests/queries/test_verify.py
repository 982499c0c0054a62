import pytest

from nrm.queries.verify import verify_all

pytestmark = pytest.mark.usefixtures("installed")


def test_an_empty_database_agrees_with_itself():
    assert list(verify_all()) == []
