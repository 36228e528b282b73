import type { KubeObject } from '../../fakes/kube/kube-object.ts';
import type { World } from '../world.ts';
import { type CallCheck, createCallCheck } from './calls.ts';
import { createEventCheck } from './events.ts';
import { createFindings } from './findings.ts';
import { createValueCheck } from './held-values.ts';
import { createSecretCheck } from './secrets.ts';
import { createVolumeCheck } from './volumes.ts';
import { createWorkloadCheck } from './workloads.ts';

/** Asks after each step whether all is as it must be; README.md says which file asks what. */
export interface Oracle {
  readonly violations: readonly string[];
  readonly calls: CallCheck;
  /** To be called often: looks at what has changed. */
  check(): void;
  /** Looks at an object that a node has written. */
  checkWrite(node: string, object: KubeObject): void;
  /** All that must hold once nothing has gone wrong for some intervals. @param timers that waited at most, in one half of the rest and in the other */
  checkRest(timers: readonly number[]): void;
}

export function createOracle(world: World): Oracle {
  const findings = createFindings(world.clock);
  const checkValues = createValueCheck(world, findings);
  const volumes = createVolumeCheck(world, findings, checkValues);
  const secrets = createSecretCheck(world, findings, checkValues);
  const workloads = createWorkloadCheck(world, findings);
  const checkEvents = createEventCheck(world, findings);
  const calls = createCallCheck(world, findings);

  function checkTimers([before = 0, after = 0]: readonly number[]): void {
    if (after > before + world.nodes.length) {
      findings.violated(`at rest ${after} timers wait, and ${before} some minutes before`);
    }
  }

  return {
    get violations() {
      return findings.violations;
    },
    calls,
    check() {
      volumes.check(workloads.filesChanged);
      workloads.check();
      checkEvents();
    },
    checkWrite(node, object) {
      if (object.kind === 'Secret') {
        secrets.checkWrite(node, object);
      } else if (object.kind === 'Deployment') {
        workloads.checkWrite(node, object);
      } else if (object.kind === 'SecretProviderClassPodStatus') {
        secrets.checkStatus(node, object);
      }
    },
    checkRest(timers) {
      volumes.checkRest();
      secrets.checkRest();
      workloads.checkRest();
      calls.checkRest();
      checkTimers(timers);
    },
  };
}
