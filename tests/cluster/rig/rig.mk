# The test cluster, included by the root Makefile. See tests/cluster/rig/README.md.
.PHONY: cluster-up cluster-down cluster-images cluster-binaries cluster-pins cluster-smoke cluster-check sbom
RIG := tests/cluster/rig

cluster-up: ## start the test cluster, or bring in what has changed
	@$(RIG)/up

cluster-down: ## stop it without a trace
	@$(RIG)/down

cluster-images: ## build both images, print their sizes
	@$(RIG)/images.sh

cluster-binaries: ## build Kubernetes, etcd, KubeRay, Prometheus and what else tests use from pinned Go modules
	@$(RIG)/binaries.sh

cluster-pins: ## write go.mod and go.sum of the above again after a change of versions.env
	@$(RIG)/pins.sh

cluster-smoke: cluster-up ## a RayJob with one worker under restricted pod security
	@$(RIG)/smoke

sbom: ## write what is in both images to build/sbom, as CycloneDX
	@$(RIG)/sbom.sh

cluster-check: ## shellcheck of the rig
	@cd $(RIG) && shellcheck -x *.sh up down smoke in-cluster program build/*/recipe.sh
