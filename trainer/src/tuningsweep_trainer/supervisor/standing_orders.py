"""The driver's orders, as one trial and its training process have to follow them."""

from tuningsweep_api.outcomes import Reason
from tuningsweep_api.spec.limits import Limits
from tuningsweep_trainer.node.runtime import Orders, RuntimeFolder


class StandingOrders:
    """What the driver has ordered so far; nothing, and no limit, before its first word."""

    def __init__(self, runtime: RuntimeFolder, trial: str, process: str) -> None:
        self._runtime, self._trial, self._process = runtime, trial, process
        self._version: tuple[int, int] | None = None
        self._orders: Orders | None = None
        self.limits = Limits()
        self.memory_limit: int | None = None
        """The memory limit, bytes; kept as a number because every glance compares it."""

    def renew(self) -> bool:
        """Read the orders if they have changed; whether they have."""
        version = self._runtime.orders_version()
        if version == self._version:
            return False
        self._version, orders = version, self._runtime.read_orders()
        if orders is None:
            return False
        self._orders, self.limits = orders, orders.desired.limits
        self.memory_limit = self.limits.memory_bytes
        return True

    @property
    def released(self) -> bool:
        """Whether the driver lets the training process go: Tune has paused its trial, which may go on elsewhere by now."""
        return self._orders is not None and self._process in self._orders.released

    @property
    def unwanted(self) -> bool:
        """Whether the training process shall go without an ending of its trial."""
        return self.released or (self._orders is not None and self._orders.interrupted)

    @property
    def stop_reason(self) -> Reason | None:
        """Why the trial must stop, if it must."""
        return None if self._orders is None else stop_reason(self._orders, self._trial)


def stop_reason(orders: Orders, trial: str) -> Reason | None:
    """Why a trial must stop by the driver's orders, if it must."""
    if trial in orders.desired.stop_trials:
        return Reason.STOP_REQUESTED
    return orders.desired.end or orders.end
