import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type GrpcObject, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** Full names, as health checks and the driver say them. */
export const PROVIDER_SERVICE = 'v1alpha1.CSIDriverProvider';
export const HEALTH_SERVICE = 'grpc.health.v1.Health';

/** Parsing the files takes some milliseconds of every start, so it is done once for all services. */
let definitions: GrpcObject | undefined;

/**
 * The client constructor of a service, whose `service` is what a server adds.
 * @param service one of the names above
 */
export function loadService(service: string): ServiceClientConstructor {
  definitions ??= loadDefinitions();
  const found = service
    .split('.')
    .reduce<GrpcObject[string] | undefined>((scope, name) => (scope as GrpcObject | undefined)?.[name], definitions);
  return found as ServiceClientConstructor;
}

function loadDefinitions(): GrpcObject {
  const files = ['service.proto', 'health.proto'].map((file) => join(protoFolder(), file));
  return loadPackageDefinition(loadSync(files, { defaults: true, enums: String }));
}

/** The bundle has `proto/` beside it; the source has it at the top of the checkout. */
function protoFolder(): string {
  const beside = join(import.meta.dirname, 'proto');
  return existsSync(beside) ? beside : join(import.meta.dirname, '..', '..', 'proto');
}
