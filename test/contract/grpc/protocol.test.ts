import { describe, expect, it } from 'vitest';
import { loadProviderService } from '../../../src/grpc/definitions.ts';
import type {
  MountRequest,
  MountResponse,
  ObjectVersion,
  ResponseFile,
  VersionRequest,
  VersionResponse,
} from '../../../src/grpc/protocol.ts';

/** A message with every field of its type: the compiler compares these with protocol.ts, the test with the .proto. */
const version: ObjectVersion = { id: 'db', version: 'v1' };
const file: ResponseFile = { path: 'db', mode: 0o400, contents: Buffer.from([0, 1, 255]) };
const mountRequest: MountRequest = {
  attributes: '{"a":"b"}',
  secrets: 'null',
  targetPath: '/t',
  permission: '420',
  currentObjectVersion: [version],
};
const mountResponse: MountResponse = { objectVersion: [version], files: [file] };
const versionRequest: VersionRequest = { version: 'v1alpha1' };
const versionResponse: VersionResponse = { version: 'v1alpha1', runtimeName: 'n', runtimeVersion: '1.2.3' };

describe('the wire types', () => {
  const { service } = loadProviderService();

  it('belong to the two methods of the service, with the names that the driver calls', () => {
    const paths = Object.values(service).map(({ path }) => path);

    expect(paths).toEqual(['/v1alpha1.CSIDriverProvider/Version', '/v1alpha1.CSIDriverProvider/Mount']);
  });

  it.for([
    ['Version', 'request', versionRequest],
    ['Version', 'response', versionResponse],
    ['Mount', 'request', mountRequest],
    ['Mount', 'response', mountResponse],
  ] as const)('of %s, %s, pass the codec with every field', ([method, side, message]) => {
    const definition = service[method];
    const bytes = side === 'request' ? definition?.requestSerialize(message) : definition?.responseSerialize(message);
    const read =
      side === 'request'
        ? definition?.requestDeserialize(bytes as Buffer)
        : definition?.responseDeserialize(bytes as Buffer);

    expect(read).toEqual(side === 'response' && method === 'Mount' ? { ...message, error: null } : message);
  });
});
