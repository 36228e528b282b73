import { status } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import type { FailureReason } from '../model/errors.ts';
import { statusOf } from './status.ts';

/** Every reason, checked by the compiler: this does not build if a reason is missing. */
const REASONS = Object.keys({
  InvalidRequest: 1,
  InvalidParameters: 1,
  TokenMissing: 1,
  RoleMissing: 1,
  CredentialsRefused: 1,
  AccessDenied: 1,
  ObjectNotFound: 1,
  ObjectRefused: 1,
  ValueUnusable: 1,
  Throttled: 1,
  StoreUnavailable: 1,
  KubernetesUnavailable: 1,
  DeadlineExceeded: 1,
  Cancelled: 1,
  PayloadTooLarge: 1,
  ClassMissing: 1,
  SecretRefused: 1,
  VolumeUnwritable: 1,
  Internal: 1,
} satisfies Record<FailureReason, 1>) as FailureReason[];

/** The codes that let a pod start: see statusOf. */
const SAFE = new Set([
  status.UNKNOWN,
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.PERMISSION_DENIED,
  status.FAILED_PRECONDITION,
  status.INTERNAL,
]);

it.for(REASONS)('ends a mount that failed by %s with a code that starts no pod with an empty volume', (reason) => {
  expect(SAFE).toContain(statusOf(reason));
});
