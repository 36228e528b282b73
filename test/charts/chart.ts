import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { CHART, findHelm, runHelm } from '../../deploy/helm.ts';
import { type Config, readConfig } from '../../src/config/config.ts';

export type Values = Readonly<Record<string, unknown>>;

/** An object of a manifest, with the fields that tests check. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly rules?: readonly Rule[];
  readonly spec?: DaemonSetSpec;
}

/** Of a ClusterRole. */
interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

interface DaemonSetSpec {
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly updateStrategy: unknown;
  readonly template: {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    readonly spec: PodSpec;
  };
}

export interface PodSpec {
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken: boolean;
  readonly containers: readonly [Container];
  readonly volumes: readonly { readonly name: string; readonly hostPath?: { readonly path: string } }[];
  readonly [field: string]: unknown;
}

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly [field: string]: unknown;
}

const installed = findHelm();

/** Tests that render are skipped without it; the others run everywhere. */
export const HAS_HELM = installed !== undefined;

export const HELM = installed ?? 'helm';

export function readChartFile(name: string): string {
  return readFileSync(join(CHART, name), 'utf8');
}

export function defaultValues(): Values {
  return parse(readChartFile('values.yaml')) as Values;
}

export function parseManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) {
      throw new Error(error.message);
    }
    return document.toJS() as Manifest;
  });
}

/** @throws Error with the message of Helm */
export function render(values: Values = {}, release = 'aws-secrets-csi'): readonly Manifest[] {
  const { ok, stdout, stderr } = runHelm(
    HELM,
    ['template', release, CHART, '--namespace', 'kube-system'],
    stringify(values),
  );
  if (!ok) {
    throw new Error(stderr);
  }
  return parseManifests(stdout);
}

/** The one of its kind. */
export function theOne(kind: string, manifests: readonly Manifest[]): Manifest {
  const [found, ...others] = manifests.filter((manifest) => manifest.kind === kind);
  if (found === undefined || others.length > 0) {
    throw new Error(`expected one ${kind} among ${manifests.map((manifest) => manifest.kind).join(', ')}`);
  }
  return found;
}

export function podOf(manifests: readonly Manifest[]): PodSpec {
  return theOne('DaemonSet', manifests).spec!.template.spec;
}

/** The daemon's config from the pod's arguments and environment, expanded as by the kubelet. */
export function configOf(pod: PodSpec, podIp = '10.0.0.1'): Config {
  const [{ args, env }] = pod.containers;
  const values = { NODE_NAME: 'node-1', POD_IP: podIp };
  return readConfig(
    args.map((arg) => arg.replace('$(POD_IP)', podIp)),
    Object.fromEntries(env.map(({ name, value }) => [name, value ?? values[name as keyof typeof values]])),
  );
}
