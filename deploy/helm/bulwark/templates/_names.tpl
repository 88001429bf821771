{{- define "bulwark.labels" -}}
app.kubernetes.io/part-of: bulwark
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "bulwark.image" -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag }}{{ end }}
{{- end }}

{{- define "bulwark.exempt" -}}
{{- $own := list "kube-system" "kube-node-lease" "bulwark" .Release.Namespace .Values.sensor.namespace -}}
{{- toJson (uniq (concat $own .Values.admission.exemptNamespaces)) -}}
{{- end }}
