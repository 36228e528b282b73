{{- define "aws-secrets-csi.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "aws-secrets-csi.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "aws-secrets-csi.selectorLabels" -}}
app.kubernetes.io/name: {{ include "aws-secrets-csi.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* In a merge the first one wins: labels of one's own cannot break the selector. */}}
{{- define "aws-secrets-csi.labels" -}}
{{- $own := dict
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/managed-by" .Release.Service
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_")
}}
{{- merge (include "aws-secrets-csi.selectorLabels" . | fromYaml) $own .Values.commonLabels | toYaml }}
{{- end }}

{{- define "aws-secrets-csi.podLabels" -}}
{{- merge (include "aws-secrets-csi.selectorLabels" . | fromYaml) .Values.podLabels .Values.commonLabels | toYaml }}
{{- end }}

{{- define "aws-secrets-csi.serviceAccountName" -}}
{{- default (include "aws-secrets-csi.fullname" .) .Values.rbac.serviceAccountName }}
{{- end }}

{{- define "aws-secrets-csi.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* What the provider reads from the API server; empty where it needs none. */}}
{{- define "aws-secrets-csi.rules" -}}
{{- if .Values.irsa.enabled }}
# The role of a pod is an annotation of its service account.
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [get]
{{- end }}
{{- if not .Values.awsRegion }}
# The region is a label of the node.
- apiGroups: [""]
  resources: [nodes]
  verbs: [get]
{{- end }}
{{- end }}

{{- define "aws-secrets-csi.args" -}}
{{- /* In brackets either kind of address can be read. */}}
{{- $health := ternary "127.0.0.1" "[$(POD_IP)]" .Values.hostNetwork }}
{{- $flags := dict
  "aws-region" .Values.awsRegion
  "burst" .Values.k8sThrottlingParams.burst
  "drain-timeout" (printf "%ds" (sub (int .Values.terminationGracePeriodSeconds) 10))
  "driver-writes-secrets" .Values.driverWritesSecrets
  "eks-addon-version" .Values.eksAddonVersion
  "endpoint-url-secrets-manager" .Values.endpoints.secretsManager
  "endpoint-url-ssm" .Values.endpoints.ssm
  "endpoint-url-sts" .Values.endpoints.sts
  "health-address" (printf "%s:%d" $health (int .Values.port))
  "log-format" .Values.logFormat
  "log-level" .Values.logLevel
  "pod-identity-endpoint-ipv4" .Values.podIdentityEndpoints.ipv4
  "pod-identity-endpoint-ipv6" .Values.podIdentityEndpoints.ipv6
  "pod-identity-http-timeout" .Values.podIdentityHttpTimeout
  "provider-volume" .Values.providerVolume
  "qps" .Values.k8sThrottlingParams.qps
  "rotation-poll-interval" .Values.rotationPollInterval
  "socket-name" .Values.socketName
  "use-dualstack-endpoint" .Values.useDualstackEndpoint
  "use-fips-endpoint" .Values.useFipsEndpoint
}}
{{- range $flag, $value := $flags }}
{{- if $value }}
- {{ printf "--%s=%v" $flag $value | quote }}
{{- end }}
{{- end }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The kubelet asks the pod's address, or the node's own loopback where the pod is on the host's network. */}}
{{- define "aws-secrets-csi.probe" -}}
{{- $root := first . -}}
path: {{ last . }}
{{- if $root.Values.hostNetwork }}
host: 127.0.0.1
port: {{ $root.Values.port }}
{{- else }}
port: health
{{- end }}
{{- end }}
