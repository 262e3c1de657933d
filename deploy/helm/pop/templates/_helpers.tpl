{{- define "pop.chart" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* Labels by which services, budgets and policies select the server. */}}
{{- define "pop.server" -}}
app.kubernetes.io/name: pop
app.kubernetes.io/component: server
{{- end }}

{{/* The same for one agent: a dict with `pool`. */}}
{{- define "pop.pool" -}}
app.kubernetes.io/name: pop
app.kubernetes.io/component: pool
pop.dev/agent: {{ .pool.name }}
{{- end }}

{{- define "pop.operations" -}}
app.kubernetes.io/name: pop
app.kubernetes.io/component: operations
{{- end }}

{{/* Name of an agent's objects: the pool `default` has the short one. A dict with `root`, `kind` and `pool`. */}}
{{- define "pop.name" -}}
{{ .root.Release.Name }}-{{ .kind }}{{ if ne .pool.name "default" }}-{{ .pool.name }}{{ end }}
{{- end }}

{{- define "pop.image" -}}
{{ .image.repository }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{- define "pop.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "pop.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "pop.spread" -}}
- maxSkew: 1
  topologyKey: kubernetes.io/hostname
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {app.kubernetes.io/name: pop}
{{- end }}

{{- define "pop.dns" -}}
- ports:
  - {protocol: UDP, port: 53}
  - {protocol: TCP, port: 53}
  to:
  - namespaceSelector:
      matchLabels: {kubernetes.io/metadata.name: kube-system}
{{- end }}

{{/* Namespace of the operations' pods of a pool: a dict with `root` and `pool`. */}}
{{- define "pop.namespace" -}}
{{ .pool.namespace | default .root.Release.Namespace }}
{{- end }}

{{/* Environment of an agent: a dict with `root` and `pool`. */}}
{{- define "pop.settings" -}}
{{- $name := include "pop.name" (dict "root" .root "pool" .pool "kind" "pool") -}}
POP_SERVER: http://{{ .root.Release.Name }}-server:7070
POP_POOL: {{ .pool.name | quote }}
POP_AGENT: {{ .pool.agent | quote }}
POP_SLOTS: {{ .pool.slots | quote }}
POP_NAMESPACE: {{ include "pop.namespace" . | quote }}
POP_SHIM_IMAGE: {{ include "pop.image" (dict "root" .root "image" .root.Values.shimImage) | quote }}
POP_REPORT_URL: https://{{ $name }}.{{ .root.Release.Namespace }}.svc:7071
POP_KEEP_FAILED: {{ .pool.keepFailed | quote }}
{{- end }}
