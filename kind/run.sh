#!/usr/bin/env bash
# Runs the tests of test/e2e on a kind cluster: creates it, installs the driver and our image, runs the tests, deletes it.
#   kind/run.sh [words of file names]      KEEP=1 keeps the cluster
set -euo pipefail
cd "$(dirname "$0")/.."

name=aws-secrets-csi
image=e2e.local/aws-secrets-csi:kind
driver_version=1.6.0

for program in docker kind kubectl helm node npm; do
  command -v "$program" >/dev/null || { echo "kind/run.sh needs $program" >&2; exit 1; }
done

kubeconfig=$(mktemp)
take_down() {
  if [[ -n ${KEEP:-} ]]; then
    echo "left up: export KUBECONFIG=$kubeconfig; kind delete cluster --name $name"
  else
    kind delete cluster --name "$name"
    rm -f "$kubeconfig"
  fi
}
trap take_down EXIT

kind create cluster --name "$name" --config kind/cluster.yaml --kubeconfig "$kubeconfig" --wait 120s
docker build -f deploy/Dockerfile -t "$image" .
kind load docker-image "$image" --name "$name"

KUBECONFIG=$kubeconfig helm install csi-secrets-store secrets-store-csi-driver --version "$driver_version" \
  --repo https://kubernetes-sigs.github.io/secrets-store-csi-driver/charts --namespace kube-system --wait \
  --set enableSecretRotation=true --set rotationPollInterval=2s --set syncSecret.enabled=true \
  --set 'tokenRequests[0].audience=sts.amazonaws.com' --set 'tokenRequests[1].audience=pods.eks.amazonaws.com'

# Pods reach the AWS stand-in on this machine through the gateway of kind's network.
gateway=$(docker network inspect kind --format '{{range .IPAM.Config}}{{println .Gateway}}{{end}}' | grep -m 1 '\.')

E2E_PROVIDER_IMAGE=$image E2E_HOST_ADDRESS=$gateway npm run e2e -- --kubeconfig "$kubeconfig" "$@"
