// Command gitops is what the tests of tests/integration/gitops run: Argo CD's sync engine over a local git repository
// (`agent`), and the judgement of an object's health by kstatus, Flux and Argo CD (`health`).
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

var errUsage = errors.New("usage: gitops agent REPOSITORY FOLDER NAMESPACE | gitops health ARGOCD-SCRIPT FLUX-KUSTOMIZATION")

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gitops:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 4 && arguments[0] == "agent":
		agent, err := newAgent(arguments[1], arguments[2], arguments[3])
		if err != nil {
			return err
		}
		return answerLines(os.Stdin, os.Stdout, agent.answer)
	case len(arguments) == 3 && arguments[0] == "health":
		judge, err := newJudge(arguments[1], arguments[2])
		if err != nil {
			return err
		}
		return answerLines(os.Stdin, os.Stdout, judge.answer)
	}
	return errUsage
}

type failure struct {
	Error string `json:"error"`
}

// answerLines answers every line of input with one line of JSON, until the input ends.
func answerLines(input io.Reader, output io.Writer, answer func(line []byte) (any, error)) error {
	lines := bufio.NewScanner(input)
	lines.Buffer(nil, 16<<20)
	encoder := json.NewEncoder(output)
	for lines.Scan() {
		result, err := answer(lines.Bytes())
		if err != nil {
			result = failure{err.Error()}
		}
		if err := encoder.Encode(result); err != nil {
			return err
		}
	}
	return lines.Err()
}
