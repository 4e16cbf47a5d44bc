# Configuration files of containerd, the pod network, the kubelet and cluster DNS (sourced).
# shellcheck shell=bash

write_containerd_config() {
  # restrict_oom_score_adj: a machine without CAP_SYS_RESOURCE may not lower the score, and every sandbox would fail.
  # netns_mounts_under_state_dir and the opt path keep everything inside the rig's own folders.
  cat >"$RIG/containerd.toml" <<EOF
version = 2
root = "$CONTAINERD_ROOT"
state = "$CONTAINERD_STATE"
[grpc]
  address = "$CONTAINERD_SOCKET"
[plugins."io.containerd.internal.v1.opt"]
  path = "$RIG/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$PAUSE_IMAGE"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$CNI_PLUGINS"
    conf_dir = "$RIG/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
EOF
}

# Pods are routed, not bridged: then a pod that calls a Service of a neighbour passes kube-proxy's rules both ways without
# br_netfilter, which the kernel may lack.
write_network_config() {
  mkdir -p "$RIG/cni"
  cat >"$RIG/cni/10-pods.conflist" <<EOF
{"cniVersion": "1.0.0", "name": "tuningsweep", "plugins": [
  {"type": "ptp", "ipMasq": true,
   "ipam": {"type": "host-local", "dataDir": "$RIG/ipam", "routes": [{"dst": "0.0.0.0/0"}],
            "ranges": [[{"subnet": "$POD_CIDR", "rangeStart": "10.244.0.10", "gateway": "$NODE_IP"}]]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
EOF
}

write_kubelet_config() {
  : >"$RIG/resolv.conf"
  cat >"$RIG/kubelet.yaml" <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $PKI/ca.crt}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
cgroupRoot: /$CGROUP
failCgroupV1: false
failSwapOn: false
containerRuntimeEndpoint: unix://$CONTAINERD_SOCKET
clusterDNS: [$NODE_IP]
clusterDomain: cluster.local
resolvConf: $RIG/resolv.conf
podLogsDir: $RIG/pod-logs
volumePluginDir: $RIG/kubelet/volume-plugins
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
tlsCertFile: $PKI/$NODE_NAME.crt
tlsPrivateKeyFile: $PKI/$NODE_NAME.key
EOF
}

write_dns_config() {
  cat >"$RIG/Corefile" <<EOF
.:53 {
  bind $NODE_IP
  errors
  kubernetes cluster.local in-addr.arpa {
    kubeconfig $PKI/admin.kubeconfig tuningsweep-test
    pods insecure
    ttl 1
  }
  cache 1
}
EOF
}
