# The default StorageClass of the node and its volumes (sourced by up.sh): folders below $RIG/volumes, for one node or
# many readers, and writable by any user, as fsGroup does not reach hostPath. A volume that a claim has given back is
# scrubbed by Kubernetes' own recycler and can be claimed again.
# shellcheck shell=bash
VOLUMES=40

write_recycler() {
  cat >"$RIG/recycler.yaml" <<EOF
apiVersion: v1
kind: Pod
metadata: {generateName: pv-recycler-, namespace: default}
spec:
  restartPolicy: Never
  activeDeadlineSeconds: 60
  terminationGracePeriodSeconds: 0
  volumes: [{name: vol, hostPath: {path: to-be-set-by-the-recycler}}]
  containers:
    - name: recycler
      image: $(base_image)
      command: [find, /scrub, -mindepth, "1", -delete]
      volumeMounts: [{name: vol, mountPath: /scrub}]
EOF
}

volume_manifests() {
  local number
  cat <<EOF
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
EOF
  for number in $(seq -w "$VOLUMES"); do
    cat <<EOF
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: volume-$number}
spec:
  capacity: {storage: 20Gi}
  accessModes: [ReadWriteOnce, ReadWriteMany]
  persistentVolumeReclaimPolicy: Recycle
  storageClassName: standard
  hostPath: {path: $RIG/volumes/$number, type: Directory}
EOF
  done
}

make_storage() {
  local number
  for number in $(seq -w "$VOLUMES"); do
    mkdir -p "$RIG/volumes/$number"
    chmod 0777 "$RIG/volumes/$number"
  done
  volume_manifests | in_cluster kubectl apply --server-side -f - >"$LOG/storage.log" 2>&1 || fail "storage: $(tail -3 "$LOG/storage.log")"
}
