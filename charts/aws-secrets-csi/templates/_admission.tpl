{{/* What the provider's service account may do with tokens, Secrets and workloads, beyond what RBAC can say. */}}

{{- define "aws-secrets-csi.policy.tokens" -}}
matchConstraints:
  resourceRules:
    - apiGroups: [""]
      apiVersions: [v1]
      operations: [CREATE]
      resources: [serviceaccounts/token]
validations:
  # A token without audience is one for the API server.
  - expression: >-
      has(object.spec.audiences) && size(object.spec.audiences) > 0 &&
      object.spec.audiences.all(audience, audience in ['sts.amazonaws.com', 'pods.eks.amazonaws.com'])
    message: the provider may request tokens only for the audiences sts.amazonaws.com and pods.eks.amazonaws.com
  - expression: >-
      has(object.spec.boundObjectRef) && object.spec.boundObjectRef.?kind.orValue('') == 'Pod' &&
      object.spec.boundObjectRef.?uid.orValue('') != ''
    message: the provider may request only tokens that are bound to a pod by name and uid
{{- end }}

{{/* Evaluated once for each pod of the namespace, which is the parameter; the API server itself refuses a pod that is not there. */}}
{{- define "aws-secrets-csi.policy.token-nodes" -}}
paramKind:
  apiVersion: v1
  kind: Pod
matchConstraints:
  resourceRules:
    - apiGroups: [""]
      apiVersions: [v1]
      operations: [CREATE]
      resources: [serviceaccounts/token]
validations:
  - expression: >-
      object.spec.?boundObjectRef.?name.orValue('') != params.metadata.name ||
      [params.spec.?nodeName.orValue('')] ==
      dyn(request.userInfo).?extra['authentication.kubernetes.io/node-name'].orValue([])
    message: the provider may request only tokens that are bound to a pod of its own node
{{- end }}

{{- define "aws-secrets-csi.policy.secrets" -}}
matchConstraints:
  resourceRules:
    - apiGroups: [""]
      apiVersions: [v1]
      operations: [CREATE, UPDATE, DELETE]
      resources: [secrets]
variables:
  - name: managed
    expression: "'secrets-store.csi.k8s.io/managed'"
validations:
  - expression: >-
      oldObject == null || oldObject.metadata.?labels[variables.managed].orValue('') == 'true'
    message: the provider may change only Secrets with the label secrets-store.csi.k8s.io/managed=true
  - expression: >-
      object == null || object.metadata.?labels[variables.managed].orValue('') == 'true'
    message: the provider may write only Secrets with the label secrets-store.csi.k8s.io/managed=true
  - expression: >-
      [object, oldObject].all(secret, secret == null || !(secret.?type.orValue('') in
      ['kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token', 'helm.sh/release.v1']))
    message: >-
      the provider may not write or delete Secrets of type kubernetes.io/service-account-token, bootstrap.kubernetes.io/token or
      helm.sh/release.v1
{{- end }}

{{/* An update is compared field by field, whatever fields there are, so that a field of a later Kubernetes is covered too. */}}
{{- define "aws-secrets-csi.policy.workloads" -}}
matchConstraints:
  resourceRules:
    - apiGroups: [apps]
      apiVersions: [v1]
      operations: [CREATE, UPDATE, DELETE]
      # Including subresources, such as scale.
      resources: [deployments, deployments/*, statefulsets, statefulsets/*, daemonsets, daemonsets/*]
variables:
  - name: now
    expression: dyn(object)
  - name: before
    expression: dyn(oldObject)
  # The API server sets the last one itself, regardless of what a client sends.
  - name: ours
    expression: >-
      ['aws-secrets-csi/mounted-versions', 'aws-secrets-csi/restarted-at', 'deprecated.daemonset.template.generation']
  - name: annotations
    expression: variables.now.metadata.?annotations.orValue({})
  - name: annotationsBefore
    expression: variables.before.metadata.?annotations.orValue({})
  - name: template
    expression: variables.now.spec.template
  - name: templateBefore
    expression: variables.before.spec.template
  - name: templateAnnotations
    expression: variables.template.metadata.?annotations.orValue({})
  - name: templateAnnotationsBefore
    expression: variables.templateBefore.metadata.?annotations.orValue({})
validations:
  - expression: >-
      request.operation == 'UPDATE' && request.?subResource.orValue('') == '' &&
      variables.annotationsBefore[?'aws-secrets-csi/restart-on-rotation'].orValue('') == 'true'
    message: >-
      the provider may change only workloads annotated aws-secrets-csi/restart-on-rotation: "true"
  - expression: >-
      request.operation != 'UPDATE' || request.?subResource.orValue('') != '' || (
      variables.annotations.all(key, key in variables.ours ||
      variables.annotationsBefore[?key] == optional.of(variables.annotations[key])) &&
      variables.annotationsBefore.all(key, key in variables.ours || key in variables.annotations) &&
      variables.templateAnnotations.all(key, key == 'aws-secrets-csi/versions' ||
      variables.templateAnnotationsBefore[?key] == optional.of(variables.templateAnnotations[key])) &&
      variables.templateAnnotationsBefore.all(key, key == 'aws-secrets-csi/versions' || key in variables.templateAnnotations))
    message: the provider may change only its own annotations of a workload
  - expression: >-
      request.operation != 'UPDATE' || request.?subResource.orValue('') != '' || (
      variables.now.metadata.all(key, key in ['annotations', 'managedFields', 'generation', 'resourceVersion'] ||
      variables.before.metadata[?key] == optional.of(variables.now.metadata[key])) &&
      variables.before.metadata.all(key, key == 'annotations' || key in variables.now.metadata) &&
      variables.now.spec.all(key, key == 'template' || variables.before.spec[?key] == optional.of(variables.now.spec[key])) &&
      variables.before.spec.all(key, key in variables.now.spec) &&
      variables.template.all(key, key == 'metadata' || variables.templateBefore[?key] == optional.of(variables.template[key])) &&
      variables.templateBefore.all(key, key in variables.template) &&
      variables.template.metadata.all(key, key == 'annotations' ||
      variables.templateBefore.metadata[?key] == optional.of(variables.template.metadata[key])) &&
      variables.templateBefore.metadata.all(key, key == 'annotations' || key in variables.template.metadata))
    message: the provider may change nothing of a workload but its own annotations
{{- end }}
