"""The context of the pipeline's tests, for the tests of safety."""

from tests.pipeline.conftest import home, open_home, reader, store_line

__all__ = ["home", "open_home", "reader", "store_line"]
