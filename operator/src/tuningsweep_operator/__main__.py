"""Entry point of the operator's process. What it imports takes a second or more, in which SIGTERM is to end it too: the first
process of a container has no default for it, and would be killed after the kubelet's patience."""

import signal
import sys


def main() -> None:
    """Run the operator; settings come from the environment."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    from tuningsweep_operator.main import run_forever

    run_forever()


if __name__ == "__main__":
    main()
