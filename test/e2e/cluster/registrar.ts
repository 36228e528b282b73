// Makes a CSI driver known to the kubelet, as csi-node-driver-registrar does beside the driver's container:
// `node registrar.ts <registration socket> <driver's name> <driver's socket> <file to make when it is known>`.
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as grpc from '@grpc/grpc-js';
import type { ServiceClientConstructor } from '@grpc/grpc-js';
import { load } from '@grpc/proto-loader';

interface RegistrationStatus {
  readonly plugin_registered: boolean;
  readonly error: string;
}

const [socket = '', name = '', endpoint = '', registered = ''] = process.argv.slice(2);

const definition = await load(path.join(import.meta.dirname, 'plugin-registration.proto'), { keepCase: true });
const service = grpc.loadPackageDefinition(definition)['pluginregistration'] as unknown as {
  readonly Registration: ServiceClientConstructor;
};

const server = new grpc.Server();
server.addService(service.Registration.service, {
  GetInfo(_call: unknown, answer: grpc.sendUnaryData<object>) {
    answer(null, { type: 'CSIPlugin', name, endpoint, supported_versions: ['1.0.0'] });
  },
  NotifyRegistrationStatus(call: { readonly request: RegistrationStatus }, answer: grpc.sendUnaryData<object>) {
    console.log(JSON.stringify(call.request));
    answer(null, {});
    if (call.request.plugin_registered) {
      writeFileSync(registered, '');
    }
  },
});

// The kubelet forgets the driver when the socket goes.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    rmSync(socket, { force: true });
    process.exit(0);
  });
}

rmSync(socket, { force: true });
server.bindAsync(`unix://${socket}`, grpc.ServerCredentials.createInsecure(), (error) => {
  if (error !== null) {
    throw error;
  }
});
