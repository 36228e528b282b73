import { status } from '@grpc/grpc-js';
import type { FailureReason } from '../model/errors.ts';

/**
 * The status of a failed Mount. Only codes after which the kubelet cleans up and starts again: after UNAVAILABLE, RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED, ABORTED
 * or CANCELLED on a first mount it keeps the directory. The driver (1.6.0) then assumes a recent successful mount, and the pod starts with an empty volume.
 */
export function statusOf(reason: FailureReason): status {
  switch (reason) {
    case 'InvalidRequest':
    case 'InvalidParameters':
      return status.INVALID_ARGUMENT;
    case 'TokenMissing':
    case 'RoleMissing':
    case 'ObjectRefused':
    case 'ValueUnusable':
    case 'PayloadTooLarge':
    case 'ClassMissing':
    case 'SecretRefused':
      return status.FAILED_PRECONDITION;
    case 'CredentialsRefused':
    case 'AccessDenied':
      return status.PERMISSION_DENIED;
    case 'ObjectNotFound':
      return status.NOT_FOUND;
    case 'Throttled':
    case 'StoreUnavailable':
    case 'KubernetesUnavailable':
    case 'DeadlineExceeded':
    case 'Cancelled':
      return status.UNKNOWN;
    case 'VolumeUnwritable':
    case 'Internal':
      return status.INTERNAL;
  }
  return reason satisfies never;
}
