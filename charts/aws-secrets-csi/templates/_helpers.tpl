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
# To read the region from the node's label.
- apiGroups: [""]
  resources: [nodes]
  verbs: [get]
{{- end }}
{{- if or .Values.enableSecretRotation .Values.syncSecret.enabled }}
# To find the mounted volumes of the node, and their attributes.
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list]
{{- end }}
{{- end }}

{{/* In the namespace of the release, where rotation and sync have not brought it for all. */}}
{{- define "aws-secrets-csi.ownRules" -}}
# To report problems with the socket as events on the provider's own pod.
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* What can be kept to the namespaces of the pods that mount secrets. */}}
{{- define "aws-secrets-csi.namespaceRules" -}}
{{- $follows := or .Values.enableSecretRotation .Values.syncSecret.enabled }}
{{- if .Values.irsa.enabled }}
# To read the role of a pod from the annotation of its service account.
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [get]
{{- end }}
{{- if $follows }}
# To read which files and Secrets the pods need.
- apiGroups: [secrets-store.csi.x-k8s.io]
  resources: [secretproviderclasses]
  verbs: [get]
# To read which versions a volume holds, after a restart of the provider.
- apiGroups: [secrets-store.csi.x-k8s.io]
  resources: [secretproviderclasspodstatuses]
  verbs: [get]
# To report failures and changes as events on pods. Repeated events are patched.
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end }}
{{- if .Values.enableSecretRotation }}
# To record the versions in a volume, as the driver does.
- apiGroups: [secrets-store.csi.x-k8s.io]
  resources: [secretproviderclasspodstatuses]
  verbs: [patch]
{{- end }}
{{- if .Values.syncSecret.enabled }}
# To create, update and delete Secrets in the namespaces of pods. Server-side apply needs create and patch. Secrets are never listed.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, create, patch, delete]
{{- end }}
{{- if .Values.tokenRequest.enabled }}
# To request tokens of pods when the driver sent none, or only expired ones.
- apiGroups: [""]
  resources: [serviceaccounts/token]
  verbs: [create]
{{- end }}
{{- if or .Values.syncSecret.enabled .Values.restartOnRotation.enabled }}
# To verify that a pod belongs to the ReplicaSet that it names, and to find its Deployment.
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [get]
{{- end }}
{{- if and .Values.syncSecret.enabled (not .Values.restartOnRotation.enabled) }}
# To verify that a pod belongs to the owner that it names, which then owns the Secret.
- apiGroups: [apps]
  resources: [statefulsets, daemonsets]
  verbs: [get]
{{- end }}
{{- if .Values.restartOnRotation.enabled }}
# To restart workloads by an annotation of their pod template.
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
