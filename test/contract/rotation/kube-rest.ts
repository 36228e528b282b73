/** An object of the API server, as JSON. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly {
      readonly apiVersion: string;
      readonly kind: string;
      readonly name: string;
      readonly uid: string;
      readonly controller?: boolean;
    }[];
  };
  readonly [field: string]: unknown;
}

/** The API server, with the permissions of the token. */
export interface KubeRest {
  /** @returns undefined if there is none */
  find<Shape = KubeObject>(path: string): Promise<Shape | undefined>;
  list<Shape = KubeObject>(path: string): Promise<readonly Shape[]>;
  create(path: string, object: KubeObject): Promise<KubeObject>;
  /** Merge patch. */
  patch(path: string, patch: unknown): Promise<KubeObject>;
  /** Accepts that it no longer exists. */
  remove(path: string): Promise<void>;
}

export function createKubeRest(url: string, token: string): KubeRest {
  async function ask(method: string, path: string, body?: unknown, type = 'application/json'): Promise<Response> {
    return await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': type },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  return {
    async find<Shape>(path: string) {
      const response = await ask('GET', path);
      return response.status === 404 ? undefined : ((await well(response)) as unknown as Shape);
    },
    async list<Shape>(path: string) {
      return ((await well(await ask('GET', path)))['items'] ?? []) as readonly Shape[];
    },
    create: async (path, object) => await well(await ask('POST', path, object)),
    patch: async (path, patch) => await well(await ask('PATCH', path, patch, 'application/merge-patch+json')),
    async remove(path) {
      const response = await ask('DELETE', path);
      if (response.status !== 404) {
        await well(response);
      }
    },
  };
}

/** @throws Error with the message of the API server */
async function well(response: Response): Promise<KubeObject> {
  const answer = await response.text();
  if (!response.ok) {
    throw new Error(`${response.status}: ${answer}`);
  }
  return JSON.parse(answer) as KubeObject;
}
