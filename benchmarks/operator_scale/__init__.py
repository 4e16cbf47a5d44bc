"""The operator under load, beside KubeRay's own controller on the same objects (`make bench-operator`)."""
