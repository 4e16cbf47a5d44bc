# The images' base where no registry can give one: Debian's minimal system with Python, from the Debian mirror (sourced).
# shellcheck shell=bash

base_image() { echo "localhost/tuningsweep-base:$DEBIAN_RELEASE-$(cd "$RIG_SOURCE" && digest base-image.sh)"; }

# What no container reads, a third of the size: manuals, locales, package lists, files only apt needs.
trim() {
  rm -rf "$1"/usr/share/{doc,man,info,locale,i18n,lintian} "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* \
    "$1"/var/cache/debconf/*-old "$1"/var/log/*.log "$1"/var/log/apt
}

build_base_image() {
  local root=$CACHE/base-root container
  rm -rf "$root"
  debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates,wget "$DEBIAN_RELEASE" "$root" \
    >"$CACHE/debootstrap.log" 2>&1 || fail "debootstrap failed: $(tail -3 "$CACHE/debootstrap.log")"
  trim "$root"
  container=$(buildah from scratch)
  buildah copy --quiet "$container" "$root" / >/dev/null
  buildah commit --quiet --rm "$container" "$(base_image)" >/dev/null
  rm -rf "$root"
}

ensure_base_image() {
  buildah inspect --type image "$(base_image)" >/dev/null 2>&1 ||
    timed "building the base image ($DEBIAN_RELEASE)" -- build_base_image
}
