package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/argoproj/gitops-engine/pkg/health"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	luajson "layeh.com/gopher-json"
	"sigs.k8s.io/yaml"
)

const scriptTimeout = time.Second

// judge says how healthy an object is to each of the tools.
type judge struct {
	script string
	flux   *cel.StatusEvaluator
}

func newJudge(scriptFile, kustomizationFile string) (*judge, error) {
	script, err := os.ReadFile(scriptFile)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(kustomizationFile)
	if err != nil {
		return nil, err
	}
	var kustomization struct {
		Spec struct {
			HealthCheckExprs []kustomize.CustomHealthCheck `json:"healthCheckExprs"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(text, &kustomization); err != nil {
		return nil, err
	}
	if len(kustomization.Spec.HealthCheckExprs) != 1 {
		return nil, fmt.Errorf("%s: want one of spec.healthCheckExprs", kustomizationFile)
	}
	flux, err := cel.NewStatusEvaluator(&kustomization.Spec.HealthCheckExprs[0].HealthCheckExpressions)
	return &judge{string(script), flux}, err
}

type verdicts struct {
	Kstatus        string `json:"kstatus"`
	KstatusMessage string `json:"kstatusMessage"`
	Flux           string `json:"flux"`
	Argo           string `json:"argo"`
	ArgoMessage    string `json:"argoMessage"`
}

func (j *judge) answer(line []byte) (any, error) {
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(line); err != nil {
		return nil, err
	}
	computed, err := status.Compute(object)
	if err != nil {
		return nil, fmt.Errorf("kstatus: %w", err)
	}
	flux, err := j.flux.Evaluate(context.Background(), object)
	if err != nil {
		return nil, fmt.Errorf("flux: %w", err)
	}
	argo, err := j.runScript(line)
	if err != nil {
		return nil, fmt.Errorf("argo: %w", err)
	}
	return verdicts{string(computed.Status), computed.Message, string(flux.Status), string(argo.Status), argo.Message}, nil
}

// runScript runs the script as Argo CD runs one from argocd-cm: base, package and table libraries, `obj`, one second.
func (j *judge) runScript(object []byte) (*health.HealthStatus, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	libraries := map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
	}
	for _, name := range []string{lua.LoadLibName, lua.BaseLibName, lua.TabLibName} {
		call := lua.P{Fn: state.NewFunction(libraries[name]), NRet: 0, Protect: true}
		if err := state.CallByParam(call, lua.LString(name)); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), scriptTimeout)
	defer cancel()
	state.SetContext(ctx)
	value, err := luajson.Decode(state, object)
	if err != nil {
		return nil, err
	}
	state.SetGlobal("obj", value)
	if err := state.DoString(j.script); err != nil {
		return nil, err
	}
	text, err := luajson.Encode(state.Get(-1))
	if err != nil {
		return nil, err
	}
	verdict := &health.HealthStatus{}
	return verdict, json.Unmarshal(text, verdict)
}
