"""Enforces NetworkPolicies on the test cluster's node for a while: its network plugin lets everything through.

kube-network-policies' own controller (tests/cluster/rig/build/network-policies) decides on the first packet of each
connection between pods; iptables hands it those. It takes root in the node's network namespace, where cluster tests run.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.patience import PATIENCE
from support.rig import rig_file

BRIDGED = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
QUEUE = "100"
RULE = ("FORWARD", "-m", "conntrack", "--ctstate", "NEW", "-j", "NFQUEUE", "--queue-num", QUEUE, "--queue-bypass")
"""Bypassed if nobody decides: what has died would take the network from every other test."""


@contextmanager
def policies_enforced(node: str, log: Path) -> Iterator[None]:
    """What the pods' NetworkPolicies do not allow is dropped while the block runs."""
    program = rig_file("network-policies", "network-policies")
    before = BRIDGED.read_text()
    BRIDGED.write_text("1")
    with log.open("wb") as output:
        enforcer = subprocess.Popen(
            [program, "-kubeconfig", os.environ["KUBECONFIG"], "-node", node, "-queue", QUEUE],
            stdout=output,
            stderr=output,
        )
    subprocess.run(["iptables", "-t", "mangle", "-I", *RULE], check=True)
    try:
        yield
        assert enforcer.poll() is None, "it has died"
    except BaseException:
        print(f"the enforcer's log ends:\n{log.read_text(errors='replace')[-4000:]}")
        raise
    finally:
        subprocess.run(["iptables", "-t", "mangle", "-D", *RULE], check=True)
        enforcer.terminate()
        enforcer.wait(PATIENCE)
        BRIDGED.write_text(before)
