import type { AwsRequest } from './aws-request.ts';
import { type Fault, type Injection, isMatch, type RequestMatch } from './faults.ts';
import type { Role, Session } from './policy.ts';

/** A request that was forwarded, and its response. */
export interface GateCall extends Pick<AwsRequest, 'service' | 'action' | 'region' | 'resources'> {
  /** Of the session that signed it, or that STS should open. */
  readonly role: string | undefined;
  readonly sessionName: string | undefined;
  readonly userAgent: string | undefined;
}

/** State that tests set and check. */
export class GateState {
  readonly roles = new Map<string, Role>();
  readonly sessions = new Map<string, Session>();
  readonly calls: GateCall[] = [];
  /** Requests that a fault holds at present. */
  held = 0;
  /** By how much AWS's clock is ahead of this process's. */
  aheadMs = 0;
  readonly #injections = new Set<Injection>();

  addRole(role: Role): void {
    this.roles.set(role.arn, role);
  }

  /** @returns a handle whose disposal ends the fault */
  inject(fault: Fault, match: RequestMatch = {}, times = Infinity): Disposable {
    const injection = { fault, match, left: times };
    this.#injections.add(injection);
    return { [Symbol.dispose]: () => this.#injections.delete(injection) };
  }

  count(match: RequestMatch = {}): number {
    return this.calls.filter((call) => isMatch(match, call)).length;
  }

  /** The faults that affect this request, which uses them up. */
  takeFaults(request: AwsRequest): readonly Fault[] {
    const befallen = [...this.#injections].filter(({ match, left }) => left > 0 && isMatch(match, request));
    for (const injection of befallen) {
      injection.left -= 1;
    }
    return befallen.map(({ fault }) => fault);
  }

  record(request: AwsRequest, userAgent: string | undefined): void {
    const { service, action, region, resources, accessKey, parameters } = request;
    const session = this.sessions.get(accessKey ?? '');
    this.calls.push({
      service,
      action,
      region,
      resources,
      role: session?.role.arn ?? text(parameters['RoleArn']),
      sessionName: session?.name ?? text(parameters['RoleSessionName']),
      userAgent,
    });
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
