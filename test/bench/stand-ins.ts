/** The process of everything outside the node: AWS, the agent and the API server. Lives as long as the channel to its parent. */
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { createApiServer } from './api-server.ts';
import { createAwsStandIn } from './aws-stand-in.ts';
import { createCallCounter } from './aws/call-counter.ts';
import { createPodIdentityAgent } from './aws/pod-identity-agent.ts';
import { createSessions } from './aws/sessions.ts';
import type { CloudState } from './aws/state.ts';
import { createTokenBuckets } from './aws/token-buckets.ts';
import type { Command, Reply, StandInsArguments } from './start-stand-ins.ts';

const { ports, cert, key, settings, apiLatencyMs }: StandInsArguments = JSON.parse(process.argv[2] ?? '');

const state: CloudState = {
  settings,
  generation: 0,
  sessions: createSessions(),
  calls: createCallCounter(),
  buckets: createTokenBuckets(),
};
const apiCalls = createCallCounter();
let objects: ReadonlyMap<string, object> = new Map();
let connections = 0;

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function obey(command: Command): void {
  switch (command.do) {
    case 'configure':
      state.settings = { ...state.settings, ...command.settings };
      break;
    case 'rotate':
      state.generation += 1;
      break;
    case 'reset':
      state.calls.reset();
      apiCalls.reset();
      connections = 0;
      break;
    case 'place':
      objects = new Map(command.objects);
      break;
    case 'read':
      break;
  }
}

function tell(message: Reply): void {
  process.send?.(message);
}

process.on('message', (command: Command) => {
  obey(command);
  tell({ id: command.id, generation: state.generation, connections, aws: state.calls.read(), api: apiCalls.read() });
});
process.on('disconnect', () => process.exit());
// A terminal's Ctrl-C goes to every process; ours ends with the parent, after the provider.
process.on('SIGINT', () => undefined);

const aws = createAwsStandIn({ cert, key }, state).on('secureConnection', () => {
  connections += 1;
});
const listening = {
  aws: await listen(aws, ports.aws),
  agent: await listen(createPodIdentityAgent(state), ports.agent),
  api: await listen(
    createApiServer({ cert, key, calls: apiCalls, objects: () => objects, latencyMs: () => apiLatencyMs }),
    ports.api,
  ),
};
process.send?.(listening);
