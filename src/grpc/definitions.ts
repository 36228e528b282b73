import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type GrpcObject, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** Full names, as health checks and the driver say them. */
export const PROVIDER_SERVICE = 'v1alpha1.CSIDriverProvider';
export const HEALTH_SERVICE = 'grpc.health.v1.Health';

/**
 * The client constructor of a service, whose `service` is what a server adds.
 * @param service one of the names above
 */
export function loadService(service: string): ServiceClientConstructor {
  const definition = loadSync(
    ['service.proto', 'health.proto'].map((file) => join(protoFolder(), file)),
    {
      defaults: true,
      enums: String,
    },
  );
  const found = service
    .split('.')
    .reduce<GrpcObject[string] | undefined>(
      (scope, name) => (scope as GrpcObject | undefined)?.[name],
      loadPackageDefinition(definition),
    );
  return found as ServiceClientConstructor;
}

/** The bundle has `proto/` beside it; the source has it at the top of the checkout. */
function protoFolder(): string {
  const beside = join(import.meta.dirname, 'proto');
  return existsSync(beside) ? beside : join(import.meta.dirname, '..', '..', 'proto');
}
