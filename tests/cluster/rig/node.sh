# One Kubernetes node in a network namespace of its own, for machines without Docker (sourced by up.sh, down.sh).
# The machine itself sees none of it but processes, a cgroup, some mounts and one socket: kube-proxy's rules, the pods'
# network and every port are inside the namespace.
# shellcheck shell=bash
source "$RIG_SOURCE/processes.sh"
source "$RIG_SOURCE/pki.sh"
source "$RIG_SOURCE/node-config.sh"

NODE_NAME=node1
NODE_IP=10.244.0.1 # of the node, its gateway for pods, and cluster DNS
POD_CIDR=10.244.0.0/24
SERVICE_CIDR=10.96.0.0/16
SERVICE_IP=10.96.0.1
PKI=$RIG/pki
CONTAINERD_ROOT=$CACHE/containerd # kept between starts: the images
CONTAINERD_STATE=/run/tuningsweep-containerd
CONTAINERD_SOCKET=$CONTAINERD_STATE/containerd.sock
KUBERNETES_BIN=$(tool_folder kubernetes)
COMPONENTS=(etcd kube-apiserver kube-controller-manager kube-scheduler containerd kubelet kube-proxy coredns)

ctr_pods() { ctr --address "$CONTAINERD_SOCKET" --namespace k8s.io "$@"; }
admin() { in_netns "$KUBERNETES_BIN/kubectl" --kubeconfig "$PKI/admin.kubeconfig" "$@"; }

make_network() {
  ip netns add "$NETNS"
  in_netns ip link set lo up
  in_netns ip address add "$NODE_IP/32" dev lo
  # Without a route the API server reaches no Service: kube-proxy rewrites an address only once there is a way to it.
  in_netns ip route add "$SERVICE_CIDR" dev lo src "$NODE_IP"
  in_netns sysctl -qw net.ipv4.ip_forward=1
}

start_control_plane() {
  start etcd "$(tool_folder etcd)/etcd" --data-dir "$RIG/etcd" --unsafe-no-fsync \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380
  start kube-apiserver "$KUBERNETES_BIN/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 \
    --advertise-address="$NODE_IP" --service-cluster-ip-range="$SERVICE_CIDR" \
    --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" --client-ca-file="$PKI/ca.crt" \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --service-account-key-file="$PKI/service-accounts.pub" --service-account-signing-key-file="$PKI/service-accounts.key" \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction,PodSecurity --allow-privileged=true \
    --kubelet-certificate-authority="$PKI/ca.crt" --kubelet-preferred-address-types=InternalIP \
    --kubelet-client-certificate="$PKI/admin.crt" --kubelet-client-key="$PKI/admin.key"
  ready_within 300 etcd in_netns bash -c '</dev/tcp/127.0.0.1/2379'
  ready_within 300 kube-apiserver admin get --raw /readyz
  start kube-controller-manager "$KUBERNETES_BIN/kube-controller-manager" --leader-elect=false \
    --kubeconfig="$PKI/kube-controller-manager.kubeconfig" --use-service-account-credentials=true \
    --service-account-private-key-file="$PKI/service-accounts.key" --root-ca-file="$PKI/ca.crt" \
    --cluster-cidr="$POD_CIDR" --pv-recycler-pod-template-filepath-hostpath="$RIG/recycler.yaml"
  start kube-scheduler "$KUBERNETES_BIN/kube-scheduler" --leader-elect=false \
    --kubeconfig="$PKI/kube-scheduler.kubeconfig"
}

start_containerd() {
  start containerd containerd --config "$RIG/containerd.toml"
  ready_within 300 containerd ctr_pods version
  remove_containers # those of a node that did not go down in order: their metadata is kept with the images
}

start_node() {
  start kubelet "$KUBERNETES_BIN/kubelet" --config="$RIG/kubelet.yaml" --kubeconfig="$PKI/$NODE_NAME.kubeconfig" \
    --hostname-override="$NODE_NAME" --node-ip="$NODE_IP" --root-dir="$RIG/kubelet"
  start kube-proxy "$KUBERNETES_BIN/kube-proxy" --kubeconfig="$PKI/kube-proxy.kubeconfig" --proxy-mode=iptables \
    --hostname-override="$NODE_NAME" --cluster-cidr="$POD_CIDR" --conntrack-max-per-core=0
  start coredns "$(tool_folder coredns)/coredns" -conf "$RIG/Corefile"
  ready_within 300 coredns in_netns bash -c "</dev/tcp/$NODE_IP/53"
  ready_within 300 kubelet admin wait --for=condition=Ready "node/$NODE_NAME" --timeout=1s
  ready_within 300 kube-controller-manager admin get serviceaccount default
}

node_up() {
  rm -rf "$RIG"
  mkdir -p "$LOG" "$RIG"/{pids,etcd}
  [ -e /var/lib/kubelet ] || touch "$RIG/made-var-lib-kubelet" # a fixed path of the kubelet's device manager
  make_cgroups
  make_network
  make_pki
  write_containerd_config
  write_network_config
  write_kubelet_config
  write_dns_config
  write_recycler
  start_containerd
  load_image "$OCI/pause"
  start_control_plane
  start_node
}

node_is_healthy() {
  local component
  for component in "${COMPONENTS[@]}"; do is_running "$component" || return 1; done
  [ "$(admin get --raw /readyz 2>/dev/null)" = ok ] &&
    admin wait --for=condition=Ready "node/$NODE_NAME" --timeout=1s >/dev/null 2>&1
}

# Anything of a node left, healthy or not.
node_has_traces() {
  [ -e "/run/netns/$NETNS" ] || [ -n "$(pids_below "$CGROUP")" ] || [ -e "$CONTAINERD_STATE" ]
}

# Mount points below the rig's folders, the innermost first; buildah leaves one below the cache.
mounts_of_rig() {
  awk -v rig="$RIG/" -v state="$CONTAINERD_STATE/" -v cache="$CACHE/" \
    'index($5, rig) == 1 || index($5, state) == 1 || index($5, cache) == 1 {print $5}' /proc/self/mountinfo | tac
}

# End all containers and forget them. A task may vanish while it is looked at, as containerd cleans up by itself when one
# ends, so what counts is that none is left; what a broken containerd leaves is met by kill_below.
remove_containers() {
  local task container
  for task in $(ctr_pods tasks list --quiet); do
    ctr_pods tasks kill --signal SIGKILL "$task" || true
    ctr_pods tasks delete --force "$task" || true
  done >/dev/null 2>&1
  for container in $(ctr_pods containers list --quiet); do ctr_pods containers delete "$container"; done >/dev/null
}

remove_traces_outside() {
  local link address
  for link in /var/log/containers/*; do
    [[ $(readlink "$link") != "$RIG"/* ]] || rm -f "$link"
  done
  rm -f /var/lib/cni/results/tuningsweep-*
  rmdir --ignore-fail-on-non-empty /var/lib/cni/results /var/lib/cni /var/log/containers 2>/dev/null || true
  # The sockets of shims that were killed: containerd puts them outside its state folder, and notes where.
  for address in "$CONTAINERD_STATE"/io.containerd.runtime.v2.task/*/*/address; do
    [ ! -f "$address" ] || rm -f "$(sed 's|^unix://||' "$address")"
  done
  [ ! -f "$RIG/made-var-lib-kubelet" ] || rm -rf /var/lib/kubelet
}

node_down() {
  local mount
  stop kubelet # first, or it would start again what is stopped below
  if is_running containerd; then
    remove_containers
    stop containerd
  fi
  kill_below "$CGROUP" # the others keep nothing that an orderly end would save
  for mount in $(mounts_of_rig); do umount "$mount" || umount --lazy "$mount"; done
  [ ! -e "/run/netns/$NETNS" ] || ip netns delete "$NETNS"
  remove_cgroups
  remove_traces_outside
  rm -rf "$CONTAINERD_STATE"
}
