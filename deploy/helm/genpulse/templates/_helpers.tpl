{{- define "genpulse.name" -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{- end }}

{{- define "genpulse.selector" -}}
app.kubernetes.io/name: genpulse
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "genpulse.labels" -}}
{{ include "genpulse.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
genpulse/environment: {{ .Values.environment }}
{{- end }}

{{/* What does not belong into an environment is refused before anything is made. Every template that runs the image asks. */}}
{{- define "genpulse.image" -}}
{{- $image := .Values.image -}}
{{- if not $image.repository }}{{ fail "image.repository is empty." }}{{ end -}}
{{- if not (or $image.tag $image.digest) }}{{ fail "image.tag and image.digest are empty: say which build." }}{{ end -}}
{{- if eq .Values.environment "main" -}}
{{- if not (regexMatch "^v(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)$" $image.tag) -}}
{{- fail (printf "main runs the image of a final tag (vX.Y.Z) alone, and image.tag is %q." $image.tag) -}}
{{- end -}}
{{- if not $image.digest }}{{ fail "main runs an image by its digest: image.digest is empty." }}{{ end -}}
{{- if hasKey .Values.config "release.require_tag" -}}
{{- fail "main runs verified releases alone: take release.require_tag out of config." -}}
{{- end -}}
{{- end -}}
{{ $image.repository }}{{ with $image.tag }}:{{ . }}{{ end }}{{ with $image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- define "genpulse.secret" -}}
{{- $made := not (empty .Values.secret.values) -}}
{{- if and $made (ne .Values.environment "dev") -}}
{{- fail (printf "secret.values is for dev alone: in %s name a Secret that is there (secret.name)." .Values.environment) -}}
{{- end -}}
{{- if and $made .Values.secret.name }}{{ fail "secret.name and secret.values exclude each other." }}{{ end -}}
{{- if $made }}{{ include "genpulse.name" . }}
{{- else }}{{ required "secret.name is empty: a Secret with GENPULSE_DATABASE_URL, GENPULSE_REDIS__URL and the keys." .Values.secret.name }}
{{- end -}}
{{- end }}

{{/* Seconds, rounded up, of a setting or its default. */}}
{{- define "genpulse.seconds" -}}{{ ceil (float64 (default .default (get .config .key))) | int }}{{- end }}

{{- define "genpulse.pod" -}}
# A Service genpulse-api would give each pod a variable GENPULSE_API_PORT, which is no setting and is refused.
enableServiceLinks: false
automountServiceAccountToken: {{ not (empty .Values.serviceAccount) }}
{{- with .Values.serviceAccount }}
serviceAccountName: {{ . }}
{{- end }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "genpulse.container" -}}
image: {{ include "genpulse.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
env:
  - {name: ENV, value: {{ .Values.environment | quote }}}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  - {name: run, mountPath: /run/genpulse}
  - {name: spool, mountPath: /spool}
{{- end }}

{{/* The settings; hooks that come before everything else have a copy of what the chart makes, with `-upgrade`. */}}
{{- define "genpulse.envFrom" -}}
{{- $root := index . 0 }}{{ $suffix := index . 1 -}}
- configMapRef: {name: {{ include "genpulse.name" $root }}{{ $suffix }}}
- secretRef: {name: {{ include "genpulse.secret" $root }}{{ if $root.Values.secret.values }}{{ $suffix }}{{ end }}}
{{- end }}

{{- define "genpulse.volumes" -}}
- {name: tmp, emptyDir: {}}
- {name: run, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
- {name: spool, emptyDir: {sizeLimit: {{ .spool }}}}
{{- end }}

{{- define "genpulse.spread" -}}
topologySpreadConstraints:
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ $.labels | nindent 8 }}
{{- end }}
{{- end }}

{{/* Before an install and an upgrade, in the order of the weights. */}}
{{- define "genpulse.hook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation
{{- end }}
