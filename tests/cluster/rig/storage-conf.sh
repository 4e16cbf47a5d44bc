# Buildah's settings: images kept in the cache, built without user namespaces or a daemon (sourced).
# shellcheck shell=bash
export BUILDAH_ISOLATION=chroot CONTAINERS_STORAGE_CONF=$CACHE/containers/storage.conf
mkdir -p "$CACHE/containers"
cat >"$CONTAINERS_STORAGE_CONF" <<EOF
[storage]
driver = "overlay"
graphroot = "$CACHE/containers/storage"
runroot = "/run/tuningsweep-buildah"
EOF
