{{- define "tuningsweep.labels" -}}
app.kubernetes.io/name: tuningsweep
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: operator
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "tuningsweep.selector" -}}
app.kubernetes.io/name: tuningsweep
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "tuningsweep.mlflow.labels" -}}
{{ include "tuningsweep.mlflow.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "tuningsweep.mlflow.selector" -}}
app.kubernetes.io/name: tuningsweep
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: mlflow
{{- end }}

{{/* What every container may do: nothing. */}}
{{- define "tuningsweep.restricted" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* An image's reference, of a list of repository and tag; a digest (sha256:...) may stand for the tag. */}}
{{- define "tuningsweep.image" -}}
{{- $repository := index . 0 }}{{ $tag := index . 1 -}}
{{ printf "%s%s%s" $repository (ternary "@" ":" (hasPrefix "sha256:" $tag)) $tag | quote }}
{{- end }}

{{- define "tuningsweep.trainer.image" -}}
{{ include "tuningsweep.image" (list .Values.trainer.image.repository (.Values.trainer.image.tag | default .Chart.AppVersion)) }}
{{- end }}

{{/* The trainer's where values name no other. */}}
{{- define "tuningsweep.mlflow.image" -}}
{{- $trainer := .Values.trainer.image -}}
{{ include "tuningsweep.image" (list (.Values.mlflow.image.repository | default $trainer.repository) (.Values.mlflow.image.tag | default $trainer.tag | default .Chart.AppVersion)) }}
{{- end }}

{{- define "tuningsweep.rules" -}}
- apiGroups: [tuningsweep.io]
  resources: [tuningsweeps]
  verbs: [get, list, watch, delete]   # delete: ttlSecondsAfterFinished
- apiGroups: [tuningsweep.io]
  resources: [tuningsweeps/status]
  verbs: [patch]
- apiGroups: [ray.io]
  resources: [rayjobs]
  verbs: [get, list, watch, create, patch, delete]   # delete: a sweep in a queue that is suspended gives its quota back
- apiGroups: [kueue.x-k8s.io]
  resources: [workloads]
  verbs: [list, watch]
- apiGroups: [ray.io]
  resources: [rayclusters]
  verbs: [get]
- apiGroups: [""]
  resources: [secrets, configmaps, persistentvolumeclaims]
  verbs: [get, create, patch]
{{- if .Values.networkPolicy.enabled }}
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, create, patch]
{{- end }}
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end }}

{{/* Whether the operator holds sweeps back; refused where it could not read nodes. */}}
{{- define "tuningsweep.holdBack" -}}
{{- if and .Values.holdBack.enabled .Values.watchNamespaces }}
{{- fail "holdBack.enabled needs the right to list nodes, which no Role in a namespace can give: leave watchNamespaces empty, or let Kueue hold sweeps back (docs/queues.md)" }}
{{- end }}
{{- .Values.holdBack.enabled }}
{{- end }}

{{/* Where sweeps reach the chart's MLflow server. */}}
{{- define "tuningsweep.mlflow.uri" -}}
http://tuningsweep-mlflow.{{ .Release.Namespace }}:{{ .Values.mlflow.service.port }}
{{- end }}
