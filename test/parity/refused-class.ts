/** A class that cannot mount in region us-west-2. */
export interface RefusedClass {
  readonly name: string;
  readonly parameters: { readonly [parameter: string]: string };
  /** Fragments of the messages, a list for each; the first message is that of AWS's provider. */
  readonly says: readonly (readonly string[])[];
}

export const SM = 'objectType: secretsmanager';
export const SSM = 'objectType: ssmparameter';
export const FAR = { failoverRegion: 'us-east-1' };

/** One object, wrong in one way. */
export function object(name: string, fields: string, ...pieces: readonly string[]): RefusedClass {
  return { name, parameters: { objects: `[{${fields}}]` }, says: [['objects[0]', ...pieces]] };
}

export function objectWith(parameters: RefusedClass['parameters'], ...args: Parameters<typeof object>): RefusedClass {
  const refused = object(...args);
  return { ...refused, parameters: { ...refused.parameters, ...parameters } };
}

/** Two objects, the second in conflict with the first. */
export function pair(name: string, first: string, second: string, ...pieces: readonly string[]): RefusedClass {
  return {
    name,
    parameters: { objects: `[{${first}}, {${second}}]` },
    says: [['objects[1]', 'objects[0]', ...pieces]],
  };
}
