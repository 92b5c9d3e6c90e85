{{- define "dunlin.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end -}}
{{- end -}}

{{- define "dunlin.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "dunlin.labels" -}}
{{ include "dunlin.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- /* What tells how it stands: the admin port if others reach it, else the command, which knows where it is. */ -}}
{{- define "dunlin.probe" -}}
{{- $values := (index . 0).Values -}}
{{- if or $values.admin.tlsSecret $values.admin.insecure -}}
httpGet:
  path: {{ index . 1 }}
  port: admin
  scheme: {{ ternary "HTTPS" "HTTP" (ne $values.admin.tlsSecret "") }}
{{- else -}}
exec:
  command: [dunlin, health]
{{- end -}}
{{- end -}}
