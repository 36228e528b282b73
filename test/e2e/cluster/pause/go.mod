module aws-secrets-csi/e2e/pause

go 1.26.0
