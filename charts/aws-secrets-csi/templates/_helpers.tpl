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

{{/* Values that are each right, and do not go together. The daemon would say the same, on every node. */}}
{{- define "aws-secrets-csi.validate" -}}
{{- if not .Values.enableSecretRotation }}
{{- if .Values.restartOnRotation.enabled }}
{{- fail "restartOnRotation.enabled needs enableSecretRotation: true, as it is rotation that sees what has changed" }}
{{- end }}
{{- if .Values.rotationQueueUrl }}
{{- fail "rotationQueueUrl needs enableSecretRotation: true, as the queue only tells when to look" }}
{{- end }}
{{- end }}
{{- if .Values.hostNetwork }}
{{- $surge := toString (default 0 (.Values.updateStrategy.rollingUpdate).maxSurge) }}
{{- if not (has $surge (list "0" "0%")) }}
{{- fail "updateStrategy.rollingUpdate.maxSurge cannot be used with hostNetwork: true, as the old and the new pod would need the same port of the node: set maxUnavailable instead" }}
{{- end }}
{{- if .Values.networkPolicy.enabled }}
{{- fail "networkPolicy.enabled has no effect with hostNetwork: true, where the health port is served on the node's loopback only: set it to false" }}
{{- end }}
{{- end }}
{{- if and .Values.admissionPolicies.enabled (semverCompare "<1.30.0-0" .Capabilities.KubeVersion.Version) }}
{{- fail "admissionPolicies.enabled needs Kubernetes 1.30 or newer, the first with ValidatingAdmissionPolicy v1: set it to false" }}
{{- end }}
{{- end }}

{{/* What the provider does at the API server; empty where it needs none. */}}
{{- define "aws-secrets-csi.rules" -}}
{{- include "aws-secrets-csi.namespaceRules" . | trim }}
{{ include "aws-secrets-csi.clusterRules" . | trim }}
{{- end }}

{{/* What cannot be kept to some namespaces: nodes are in none, and the pods of a node may be in any. */}}
{{- define "aws-secrets-csi.clusterRules" -}}
{{- if not .Values.awsRegion }}
# The region is a label of the node.
- apiGroups: [""]
  resources: [nodes]
  verbs: [get]
{{- end }}
{{- if or .Values.enableSecretRotation .Values.syncSecret.enabled }}
# Which pods of the node have volumes, and with what settings of their own.
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list]
{{- end }}
{{- end }}

{{/* In the namespace of the release, where rotation and sync have not brought it for all. */}}
{{- define "aws-secrets-csi.ownRules" -}}
# What is wrong with the socket is said on the provider's own pod.
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* What can be kept to the namespaces of the pods that mount secrets. */}}
{{- define "aws-secrets-csi.namespaceRules" -}}
{{- $follows := or .Values.enableSecretRotation .Values.syncSecret.enabled }}
{{- if .Values.irsa.enabled }}
# The role of a pod is an annotation of its service account.
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [get]
{{- end }}
{{- if $follows }}
# What they are to hold now, and which Secrets are to be made of it.
- apiGroups: [secrets-store.csi.x-k8s.io]
  resources: [secretproviderclasses]
  verbs: [get]
# Which versions a volume was last given, for a provider that is younger than the pod.
- apiGroups: [secrets-store.csi.x-k8s.io]
  resources: [secretproviderclasspodstatuses]
  verbs: [get]
# What went wrong, or has changed, is said where the pod's owner looks. Repeated ones are counted.
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end }}
{{- if .Values.enableSecretRotation }}
# The versions in a volume are noted there, as by the driver.
- apiGroups: [secrets-store.csi.x-k8s.io]
  resources: [secretproviderclasspodstatuses]
  verbs: [patch]
{{- end }}
{{- if .Values.syncSecret.enabled }}
# The Secrets of classes are in the namespaces of their pods, which may be any. An apply needs create and patch; no other Secret is listed.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, create, patch, delete]
{{- end }}
{{- if .Values.tokenRequest.enabled }}
# Tokens by which AWS knows a pod, where the driver has sent none that hold.
- apiGroups: [""]
  resources: [serviceaccounts/token]
  verbs: [create]
{{- end }}
{{- if or .Values.syncSecret.enabled .Values.restartOnRotation.enabled }}
# Whether a pod is made by the ReplicaSet that it names, and which Deployment that is of.
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [get]
{{- end }}
{{- if and .Values.syncSecret.enabled (not .Values.restartOnRotation.enabled) }}
# Whether a pod is made by the owner that it names: a Secret is owned by no other.
- apiGroups: [apps]
  resources: [statefulsets, daemonsets]
  verbs: [get]
{{- end }}
{{- if .Values.restartOnRotation.enabled }}
# A restart is an annotation of the pods' template.
- apiGroups: [apps]
  resources: [deployments, statefulsets, daemonsets]
  verbs: [get, patch]
{{- end }}
{{- end }}

{{/* A number of a values file is a float, which would print as 6.7108864e+07. */}}
{{- define "aws-secrets-csi.whole" -}}
{{- if . }}{{ int64 . }}{{ end }}
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
  "enable-secret-rotation" .Values.enableSecretRotation
  "endpoint-url-secrets-manager" .Values.endpoints.secretsManager
  "endpoint-url-sqs" .Values.endpoints.sqs
  "endpoint-url-ssm" .Values.endpoints.ssm
  "endpoint-url-sts" .Values.endpoints.sts
  "health-address" (printf "%s:%d" $health (int .Values.port))
  "kubelet-dir" .Values.kubeletPath
  "log-format" .Values.logFormat
  "log-level" .Values.logLevel
  "max-node-bytes" (include "aws-secrets-csi.whole" .Values.limits.maxNodeBytes)
  "max-volume-bytes" (include "aws-secrets-csi.whole" .Values.limits.maxVolumeBytes)
  "pod-identity-endpoint-ipv4" .Values.podIdentityEndpoints.ipv4
  "pod-identity-endpoint-ipv6" .Values.podIdentityEndpoints.ipv6
  "pod-identity-http-timeout" .Values.podIdentityHttpTimeout
  "provider-volume" .Values.providerVolume
  "qps" .Values.k8sThrottlingParams.qps
  "restart-min-interval" .Values.restartOnRotation.minInterval
  "restart-on-rotation" .Values.restartOnRotation.enabled
  "rotation-poll-interval" .Values.rotationPollInterval
  "rotation-queue-url" .Values.rotationQueueUrl
  "socket-name" .Values.socketName
  "sync-secret" .Values.syncSecret.enabled
  "sync-secret-allowed-types" (join "," .Values.syncSecret.allowedTypes)
  "sync-secret-denied-metadata" (join "," .Values.syncSecret.deniedMetadata)
  "token-request" .Values.tokenRequest.enabled
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
