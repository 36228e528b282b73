/** The messages of proto/service.proto as proto-loader represents them: camelCase, with every field present. A contract test compares the two. */
export interface VersionRequest {
  readonly version: string;
}

export interface VersionResponse {
  readonly version: string;
  readonly runtimeName: string;
  readonly runtimeVersion: string;
}

export interface ObjectVersion {
  readonly id: string;
  readonly version: string;
}

export interface MountRequest {
  readonly attributes: string;
  readonly secrets: string;
  readonly targetPath: string;
  readonly permission: string;
  readonly currentObjectVersion: readonly ObjectVersion[];
}

export interface ResponseFile {
  readonly path: string;
  readonly mode: number;
  readonly contents: Uint8Array;
}

export interface MountResponse {
  readonly objectVersion: readonly ObjectVersion[];
  readonly files: readonly ResponseFile[];
}
