package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/argoproj/gitops-engine/pkg/cache"
	"github.com/argoproj/gitops-engine/pkg/diff"
	"github.com/argoproj/gitops-engine/pkg/engine"
	"github.com/argoproj/gitops-engine/pkg/sync"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/gitops-engine/pkg/utils/tracing"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const (
	trackingAnnotation = "argocd.argoproj.io/tracking-id"
	fieldManager       = "argocd-controller"
	syncTimeout        = time.Minute
)

// agent keeps one namespace as a kustomization in a git repository says.
type agent struct {
	repository, folder, namespace string

	config *rest.Config
	cache  cache.ClusterCache
	engine engine.GitOpsEngine
}

type tracked struct{ by string }

func newAgent(repository, folder, namespace string) (*agent, error) {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return nil, err
	}
	a := &agent{repository: repository, folder: folder, namespace: namespace, config: config}
	a.cache = cache.NewClusterCache(config,
		cache.SetNamespaces([]string{namespace}),
		cache.SetLogr(logr.Discard()),
		cache.SetPopulateResourceInfoHandler(func(object *unstructured.Unstructured, _ bool) (any, bool) {
			by := object.GetAnnotations()[trackingAnnotation]
			return tracked{by}, by != ""
		}))
	a.engine = engine.NewEngine(config, a.cache, engine.WithLogr(logr.Discard()))
	_, err = a.engine.Run()
	return a, err
}

func (a *agent) answer(line []byte) (any, error) {
	switch command := string(line); command {
	case "sync":
		return a.sync()
	case "diff":
		return a.drift()
	default:
		return nil, fmt.Errorf("%q is neither sync nor diff", command)
	}
}

type syncedResource struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Status  string `json:"status"`
	Message string `json:"message"`
}

// sync applies the head of the repository and prunes what is no longer in it.
func (a *agent) sync() (any, error) {
	target, revision, err := a.target()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), syncTimeout)
	defer cancel()
	results, err := a.engine.Sync(ctx, target, a.isManaged, revision, a.namespace, sync.WithPrune(true), sync.WithLogr(logr.Discard()))
	if err != nil {
		return nil, err
	}
	synced := []syncedResource{}
	for _, result := range results {
		synced = append(synced, syncedResource{result.ResourceKey.Kind, result.ResourceKey.Name, string(result.Status), result.Message})
	}
	return map[string]any{"revision": revision, "resources": synced}, nil
}

type driftedResource struct {
	How       string `json:"how"`
	Live      string `json:"live"`
	Predicted string `json:"predicted"`
}

// drift compares the cluster with the head of the repository, both as Argo CD does by default and by server-side apply.
func (a *agent) drift() (any, error) {
	target, revision, err := a.target()
	if err != nil {
		return nil, err
	}
	applier, cleanup, err := kube.ManageServerSideDiffDryRuns(a.config, a.cache.GetOpenAPISchema(), tracing.NopTracer{}, logr.Discard(), nil)
	if err != nil {
		return nil, err
	}
	defer cleanup()
	byServer := []diff.Option{
		diff.WithServerSideDiff(true), diff.WithServerSideDryRunner(diff.NewK8sServerSideDryRunner(applier)),
		diff.WithManager(fieldManager), diff.WithGVKParser(a.cache.GetGVKParser()),
	}
	drifted, err := a.compare(target, "client", nil)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	more, err := a.compare(target, "server", byServer)
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	drifted = append(drifted, more...)
	return map[string]any{"revision": revision, "compared": len(target), "drifted": drifted}, nil
}

func (a *agent) compare(target []*unstructured.Unstructured, how string, options []diff.Option) ([]driftedResource, error) {
	live, err := a.cache.GetManagedLiveObjs(target, a.isManaged)
	if err != nil {
		return nil, err
	}
	pairs := sync.Reconcile(target, live, a.namespace, a.cache)
	compared, err := diff.DiffArray(pairs.Target, pairs.Live, append(options, diff.WithLogr(logr.Discard()))...)
	if err != nil {
		return nil, err
	}
	drifted := []driftedResource{}
	for _, result := range compared.Diffs {
		if result.Modified {
			drifted = append(drifted, driftedResource{how, string(result.NormalizedLive), string(result.PredictedLive)})
		}
	}
	return drifted, nil
}

// target builds the kustomization of a fresh clone, so that nothing counts that is not committed.
func (a *agent) target() ([]*unstructured.Unstructured, string, error) {
	clone, err := os.MkdirTemp("", "gitops")
	if err != nil {
		return nil, "", err
	}
	defer os.RemoveAll(clone)
	if output, err := exec.Command("git", "clone", "--quiet", a.repository, clone).CombinedOutput(); err != nil {
		return nil, "", fmt.Errorf("git clone: %w: %s", err, output)
	}
	head, err := exec.Command("git", "-C", clone, "rev-parse", "HEAD").Output()
	if err != nil {
		return nil, "", err
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(clone, a.folder))
	if err != nil {
		return nil, "", err
	}
	text, err := built.AsYaml()
	if err != nil {
		return nil, "", err
	}
	objects, err := kube.SplitYAML(text)
	if err != nil {
		return nil, "", err
	}
	for _, object := range objects {
		if err := a.take(object); err != nil {
			return nil, "", err
		}
	}
	return objects, strings.TrimSpace(string(head)), nil
}

// take puts an object into the agent's namespace and marks it as the agent's.
func (a *agent) take(object *unstructured.Unstructured) error {
	namespaced, err := a.cache.IsNamespaced(object.GroupVersionKind().GroupKind())
	if err != nil {
		return err
	}
	if namespaced && object.GetNamespace() == "" {
		object.SetNamespace(a.namespace)
	}
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[trackingAnnotation] = a.trackingID()
	object.SetAnnotations(annotations)
	return nil
}

func (a *agent) trackingID() string { return a.repository + ":" + a.folder }

func (a *agent) isManaged(resource *cache.Resource) bool {
	info, ok := resource.Info.(tracked)
	return ok && info.by == a.trackingID()
}
