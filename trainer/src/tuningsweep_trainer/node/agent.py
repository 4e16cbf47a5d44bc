"""The node agent: one Ray actor on each node of a sweep, started by the driver.

It prepares the data set once for all trials of the node, passes the driver's orders on to its supervisors as a file, tells
the driver what they measure, and serves Prometheus metrics. Trials and limits go on without it if it dies; Ray restarts it.
"""

import logging
import time
from pathlib import Path
from typing import Any, Final

import ray
from prometheus_client import CollectorRegistry, start_http_server

from tuningsweep_trainer.driver.context import SweepContext
from tuningsweep_trainer.logs import configure_logging
from tuningsweep_trainer.node.data import DataState, NodeData
from tuningsweep_trainer.node.exporter import TrialCollector
from tuningsweep_trainer.node.in_use import hold, remove, remove_abandoned
from tuningsweep_trainer.node.runtime import (
    Orders,
    RuntimeFolder,
    TrialStatus,
    runtime_folder,
    runtime_folders,
    shared_folder,
)
from tuningsweep_trainer.node.summary import SweepSummary
from tuningsweep_trainer.results.store import open_store

BIND_ATTEMPTS: Final = 10
"""Tries, a second apart, to bind the metrics port; a restarted agent may find the old one's socket still there."""

log = logging.getLogger(__name__)


class NodeAgent:
    """The actor's class; the driver makes it remote."""

    def __init__(self, context_json: str, orders_json: str) -> None:
        self._context = SweepContext.model_validate_json(context_json)
        metadata = self._context.sweep.metadata
        configure_logging(sweep=metadata.name, namespace=metadata.namespace)
        node = ray.get_runtime_context().get_node_id()
        self._runtime = RuntimeFolder(runtime_folder(self._context.run_id, node))
        hold(self._runtime.path, make=True)
        self._runtime.make()
        for left in remove_abandoned(shared_folder(), runtime_folders()):
            log.info("what a run that was killed had left in %s is removed", left)
        if self._runtime.read_orders() is None:
            self._runtime.write_orders(Orders.model_validate_json(orders_json))
        self._summary: SweepSummary | None = None
        self._data = NodeData(self._prepare)
        if self._context.metrics_port is not None:
            self._serve_metrics(self._context.metrics_port)

    def folder(self) -> str:
        """The node's runtime folder."""
        return str(self._runtime.path)

    def data(self) -> dict[str, Any] | None:
        """The data set as a PreparedRef in JSON, prepared by the first call; raises DatasetError if it cannot be had."""
        return None if self._context.sweep.spec.trainable.builtin is None else self._data.now()

    def data_state(self) -> DataState:
        """How far the node is with the data set of a built-in workload; whoever waits for it asks again and again."""
        return self._data.state()

    def _prepare(self) -> dict[str, Any]:
        from tuningsweep_trainer.datasets.store import prepare

        builtin = self._context.sweep.spec.trainable.builtin
        assert builtin is not None
        prepared = prepare(builtin.dataset, builtin.task, builtin.seed, self._runtime.path / "data")
        self._publish(Path(prepared.folder))
        return prepared.dump()

    def _publish(self, folder: Path) -> None:
        """What the data set is goes to the results, for tracking; trials can do without."""
        from tuningsweep_trainer.datasets.description import publish_description

        try:
            publish_description(folder, open_store(self._context.results))
        except OSError as error:
            log.warning("the data set's description can't be written to %s: %s", self._context.results, error)

    def apply(self, orders_json: str) -> None:
        """Pass orders on to the supervisors, unless newer ones are there already; OSError if there is no room for them."""
        orders, held = Orders.model_validate_json(orders_json), self._runtime.read_orders()
        if held is None or orders.revision > held.revision:
            self._runtime.write_orders(orders)

    def observe(self, summary: SweepSummary | None) -> tuple[int, list[TrialStatus]]:
        """The revision of the orders held and what the node's trials are at; `summary` is served as metrics."""
        self._summary = summary
        held = self._runtime.read_orders()
        return (0 if held is None else held.revision), self._runtime.statuses()

    def leave(self) -> None:
        """Remove the node's files: the driver is done."""
        remove(self._runtime.path)

    def _serve_metrics(self, port: int) -> None:
        registry = CollectorRegistry(auto_describe=False)
        metadata = self._context.sweep.metadata
        registry.register(
            TrialCollector(
                metadata.namespace,
                metadata.name,
                self._runtime.statuses,
                self._runtime.step_times,
                lambda: self._summary,
            )
        )
        for _ in range(BIND_ATTEMPTS):
            try:
                start_http_server(port, registry=registry)
            except OSError as error:
                log.warning("metrics port %d cannot be bound: %s", port, error)
                time.sleep(1)
            else:
                return
        log.error("no metrics are served on this node: port %d stayed busy", port)
