"""How to report to several places, or to none, without an `if` in the loop."""

from collections.abc import Sequence
from pathlib import Path

from motionloop.interfaces import Reporter, Scalars


class SilentReporter:
    """A reporter that does nothing."""

    def report(self, scalars: Scalars, generation: int) -> None:
        """Do nothing."""

    def attach(self, path: Path, generation: int) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class SeveralReporters:
    """Forwards everything to each of `reporters`, in order.

    Put the `JsonlReporter` first: what a later one raises then finds the record already on disk.
    """

    def __init__(self, reporters: Sequence[Reporter]):
        self.reporters = tuple(reporters)

    def report(self, scalars: Scalars, generation: int) -> None:
        """Report the scalars of one generation to each."""
        for reporter in self.reporters:
            reporter.report(scalars, generation)

    def attach(self, path: Path, generation: int) -> None:
        """Attach a file of one generation to each."""
        for reporter in self.reporters:
            reporter.attach(path, generation)

    def close(self) -> None:
        """Close each, also when closing an earlier one fails.

        Raises:
            ExceptionGroup: what the reporters raised.
        """
        failures: list[Exception] = []
        for reporter in self.reporters:
            try:
                reporter.close()
            except Exception as failure:
                failures.append(failure)
        if failures:
            raise ExceptionGroup("reporters did not close", failures)
