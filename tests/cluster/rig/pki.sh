# Keys, certificates and kubeconfigs of the node (sourced), made afresh at every start.
# shellcheck shell=bash

make_certificate() { # NAME SUBJECT ALTERNATIVE-NAMES
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" -out "$1.csr" -subj "$2"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -out "$1.crt" -days 30 \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$3")
}

make_kubeconfig() { # FILE NAME
  cat >"$1" <<EOF
{apiVersion: v1, kind: Config, current-context: tuningsweep-test,
 clusters: [{name: tuningsweep-test, cluster: {server: "https://127.0.0.1:6443", certificate-authority: $PKI/ca.crt}}],
 users: [{name: $2, user: {client-certificate: $PKI/$2.crt, client-key: $PKI/$2.key}}],
 contexts: [{name: tuningsweep-test, context: {cluster: tuningsweep-test, user: $2}}]}
EOF
}

# A certificate and a kubeconfig for a client.
make_client() { # NAME SUBJECT
  make_certificate "$1" "$2" "DNS:$1"
  make_kubeconfig "$PKI/$1.kubeconfig" "$1"
}

make_pki() {
  local names="DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
  mkdir -p "$PKI"
  (
    cd "$PKI"
    umask 077
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.crt \
      -subj /CN=tuningsweep-test-ca -days 30
    openssl ecparam -genkey -name prime256v1 -noout -out service-accounts.key
    openssl ec -in service-accounts.key -pubout -out service-accounts.pub
    make_certificate apiserver /CN=kube-apiserver "IP:127.0.0.1,IP:$SERVICE_IP,IP:$NODE_IP,DNS:localhost,$names"
    make_client admin /O=system:masters/CN=admin
    make_client kube-controller-manager /CN=system:kube-controller-manager
    make_client kube-scheduler /CN=system:kube-scheduler
    make_client kube-proxy /CN=system:kube-proxy
    make_certificate "$NODE_NAME" "/O=system:nodes/CN=system:node:$NODE_NAME" "DNS:$NODE_NAME,IP:$NODE_IP"
    make_kubeconfig "$PKI/$NODE_NAME.kubeconfig" "$NODE_NAME"
  ) >"$LOG/pki.log" 2>&1 || component_failed pki "could not be made"
  cp "$PKI/admin.kubeconfig" "$KUBECONFIG_FILE"
}
