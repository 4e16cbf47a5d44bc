# Installs the Debian packages that the rig lacks (sourced). Elsewhere than on Debian it names what is missing.
# shellcheck shell=bash

# program=package; CNI plugins are no programs on PATH and are looked for apart.
NODE_PROGRAMS=(containerd=containerd ctr=containerd runc=runc iptables=iptables conntrack=conntrack ip=iproute2
  nsenter=util-linux openssl=openssl ethtool=ethtool socat=socat)
IMAGE_PROGRAMS=(debootstrap=debootstrap buildah=buildah skopeo=skopeo)
CNI_PLUGINS=/usr/lib/cni

# need PROGRAM=PACKAGE...: make sure that each program is there.
need() {
  local entry missing=()
  for entry in "$@"; do
    command -v "${entry%%=*}" >/dev/null || missing+=("${entry#*=}")
  done
  [ -x "$CNI_PLUGINS/bridge" ] || missing+=(containernetworking-plugins)
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail "these are missing, and there is no apt-get to install them: ${missing[*]}"
  say "installing Debian packages: ${missing[*]}"
  apt_install "${missing[@]}" >"$CACHE/apt.log" 2>&1 || fail "apt-get could not install ${missing[*]}: $(tail -3 "$CACHE/apt.log")"
}

# One at a time: tests install a Chromium meanwhile (tests/support/chromium.py), and apt-get itself waits for others. No
# service that a package starts may inherit the lock.
apt_install() {
  local wait_for_others=(-o DPkg::Lock::Timeout=300)
  flock --close "$CACHE/apt.lock" apt-get "${wait_for_others[@]}" update -qq &&
    DEBIAN_FRONTEND=noninteractive flock --close "$CACHE/apt.lock" \
      apt-get "${wait_for_others[@]}" install -qq -y --no-install-recommends "$@"
}
