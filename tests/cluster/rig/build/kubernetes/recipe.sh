# Kubernetes itself. Its go.mod replaces the k8s.io modules by folders of its own tree, which a module zip does not hold;
# go.mod here replaces them by the modules published for the same release.
# shellcheck shell=bash
MODULE=k8s.io/kubernetes
VERSION=$KUBERNETES_VERSION
COMMANDS=()
for command in kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl; do
  COMMANDS+=("$command=k8s.io/kubernetes/cmd/$command")
done
minor=${VERSION#v1.} && minor=${minor%.*}
package=k8s.io/component-base/version
LDFLAGS="-X $package.gitVersion=$VERSION -X $package.gitMajor=1 -X $package.gitMinor=$minor -X $package.gitTreeState=clean"
