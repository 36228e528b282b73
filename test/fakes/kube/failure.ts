/** A request that is answered with a Status. */
export class Failure extends Error {
  readonly status: number;
  readonly reason: string;
  readonly details: object | undefined;

  constructor(status: number, reason: string, message: string, details?: object) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.details = details;
  }
}

export function notFound(resource: string, name: string): Failure {
  return new Failure(404, 'NotFound', `${resource} "${name}" not found`, { name, kind: resource });
}

export function alreadyExists(resource: string, name: string): Failure {
  return new Failure(409, 'AlreadyExists', `${resource} "${name}" already exists`, { name, kind: resource });
}

export function conflict(resource: string, name: string, why: string): Failure {
  const message = `Operation cannot be fulfilled on ${resource} "${name}": ${why}`;
  return new Failure(409, 'Conflict', message, { name, kind: resource });
}

export function badRequest(message: string): Failure {
  return new Failure(400, 'BadRequest', message);
}

/** A problem of an object. */
export interface Wrong {
  readonly field: string;
  readonly reason: 'FieldValueInvalid' | 'FieldValueRequired' | 'FieldValueForbidden';
  readonly message: string;
}

export function invalid(kind: string, name: string, causes: readonly [Wrong, ...Wrong[]]): Failure {
  const all = causes.map(({ field, message }) => `${field}: ${message}`);
  const said = all.length === 1 ? all.join() : `[${all.join(', ')}]`;
  return new Failure(422, 'Invalid', `${kind} "${name}" is invalid: ${said}`, { name, kind, causes });
}
