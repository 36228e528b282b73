import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type GrpcObject, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** Full name, as in the driver's protocol. */
const PROVIDER_SERVICE = 'v1alpha1.CSIDriverProvider';

/** The client constructor of the driver's protocol, whose `service` is what a server adds. */
export function loadProviderService(): ServiceClientConstructor {
  const definitions = loadPackageDefinition(
    loadSync(join(protoFolder(), 'service.proto'), { defaults: true, enums: String }),
  );
  return PROVIDER_SERVICE.split('.').reduce<GrpcObject[string] | undefined>(
    (scope, name) => (scope as GrpcObject | undefined)?.[name],
    definitions,
  ) as ServiceClientConstructor;
}

/** `proto/` is next to the bundle, or at the top of the checkout. */
function protoFolder(): string {
  const beside = join(import.meta.dirname, 'proto');
  return existsSync(beside) ? beside : join(import.meta.dirname, '..', '..', 'proto');
}
