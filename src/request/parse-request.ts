import { ProviderError } from '../model/errors.ts';
import { type GoJson, type GoJsonResult, isGoJsonObject, parseGoJson } from '../class/go/go-json.ts';
import type { PodRef, ServiceAccountTokens } from '../model/mount-spec.ts';
import { quote } from '../text/quote.ts';
import { parseTokens } from './service-account-tokens.ts';

/** The fields of the driver's MountRequest that are used. */
export interface RequestFields {
  /** JSON object of strings: class parameters, overridden by the pod's volumeAttributes, overridden by the kubelet's keys. */
  readonly attributes: string;
  readonly targetPath: string;
  /** Mode of files without `filePermission`, as a JSON number: always 420 so far. */
  readonly permission: string;
}

export interface MountCall {
  readonly targetPath: string;
  readonly pod: PodRef;
  /** Empty if the driver sent none: then one is requested, or `tokenFor` throws. */
  readonly tokens: ServiceAccountTokens;
  /** Parameters of the class, overridden by those of the pod; without the kubelet's keys. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Permission bits, 0 to 0o777. */
  readonly mode: number;
}

const MAX_ATTRIBUTES = 384 * 1024;
/** PATH_MAX of Linux. */
const MAX_PATH = 4096;
const KUBELET_PREFIX = 'csi.storage.k8s.io/';

/** @throws ProviderError InvalidRequest */
export function parseRequest(request: RequestFields): MountCall {
  const targetPath = parseTargetPath(request.targetPath);
  const attributes = parseAttributes(request.attributes);
  const tokens = parseTokens(attributes.get(`${KUBELET_PREFIX}serviceAccount.tokens`));
  const mode = parsePermission(request.permission);
  return {
    targetPath,
    pod: parsePod(attributes),
    tokens,
    parameters: new Map([...attributes].filter(([key]) => !key.startsWith(KUBELET_PREFIX))),
    mode,
  };
}

function parseTargetPath(path: string): string {
  if (path === '') {
    throw invalid('Missing mount path: the request names no target_path');
  }
  if (!path.startsWith('/') || path.length > MAX_PATH || path.includes('\0') || path.split('/').includes('..')) {
    throw invalid(`the mount path ${quote(path)} is not an absolute path without ".."`);
  }
  return path;
}

/** The text contains tokens, so no message may quote it. */
function parseAttributes(text: string): ReadonlyMap<string, string> {
  const parsed = parseBounded(text);
  if (!parsed.ok) {
    throw invalid(`failed to unmarshal attributes: ${parsed.reason}`);
  }
  if (parsed.value === null) {
    return new Map();
  }
  if (!isGoJsonObject(parsed.value)) {
    throw invalid('failed to unmarshal attributes: they are no JSON object');
  }
  return new Map(Object.entries(parsed.value).map(([key, value]) => [key, attributeText(key, value)]));
}

function parseBounded(text: string): GoJsonResult {
  return text.length > MAX_ATTRIBUTES
    ? { ok: false, reason: `they are longer than ${MAX_ATTRIBUTES} characters` }
    : parseGoJson(text);
}

function attributeText(key: string, value: GoJson): string {
  if (value !== null && typeof value !== 'string') {
    throw invalid(`failed to unmarshal attributes: the value of ${quote(key)} is not a string`);
  }
  return value ?? '';
}

function parsePermission(text: string): number {
  const value = /^[ \t\r\n]*(?:0|[1-9][0-9]{0,9})[ \t\r\n]*$/.test(text) ? Number(text) : Number.NaN;
  if (!(value < 2 ** 32)) {
    throw invalid(`failed to unmarshal file permission: ${quote(text)} is not a number such as 420`);
  }
  return value & 0o777;
}

function parsePod(attributes: ReadonlyMap<string, string>): PodRef {
  const missing: string[] = [];

  function required(key: string): string {
    const value = attributes.get(KUBELET_PREFIX + key) ?? '';
    if (value === '') {
      missing.push(KUBELET_PREFIX + key);
    }
    return value;
  }

  const pod = {
    namespace: required('pod.namespace'),
    name: required('pod.name'),
    uid: required('pod.uid'),
    serviceAccount: required('serviceAccount.name'),
  };
  if (missing.length > 0) {
    throw invalid(
      `the request does not say which pod it is for: ${missing.join(', ')} missing: set podInfoOnMount on the CSIDriver secrets-store.csi.k8s.io`,
    );
  }
  return pod;
}

function invalid(message: string): ProviderError {
  return new ProviderError('InvalidRequest', message);
}
