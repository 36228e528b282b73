import { bare } from '../../text/quote.ts';
import { GetParametersCommand, type GetParametersResult, type SSMClient } from '@aws-sdk/client-ssm';
import type { ProviderError } from '../../model/errors.ts';
import type { FetchedObject, FetchedObjects } from '../../model/fetched-object.ts';
import { SecretBytes } from '../../model/secret-bytes.ts';
import { awsError, faultError } from '../errors/aws-error.ts';
import { readFault } from '../errors/fault.ts';
import { batchesOf } from './batches.ts';
import { limited } from '../client/plugins.ts';
import { findParameter, parameterName, requestedName } from './parameter-name.ts';
import { parameterResource } from './policy-resource.ts';
import { reasonOf } from '../errors/reasons.ts';
import type { StoreAccess, StoreRequest } from '../model/store.ts';

/** Maximum number of names in one call of GetParameters. */
const BATCH_SIZE = 10;

type Access = StoreAccess<SSMClient>;

export async function fetchParameters(requests: readonly StoreRequest[], access: Access): Promise<FetchedObjects> {
  const names = [...new Set(requests.map(nameOf))];
  const responses = await Promise.all(batchesOf(names, BATCH_SIZE).map((batch) => askForBatch(batch, access)));
  const responseTo = new Map(responses.flatMap((some) => [...some]));
  return new Map(
    requests.map((request) => [request.object, fetchedFrom(responseTo.get(nameOf(request)), request, access)]),
  );
}

function nameOf({ source }: StoreRequest): string {
  return requestedName(parameterName(source));
}

/** The response to a call with all names of the call, or what it threw. */
type Response = (GetParametersResult & { readonly asked: readonly string[] }) | { readonly thrown: unknown };

/**
 * Makes one call for all names. AWS refuses the whole call if one name is refused, without naming it. Then each name gets a call of its own, so that the
 * error names the right one.
 */
async function askForBatch(names: readonly string[], access: Access): Promise<Map<string, Response>> {
  const response = await ask(names, access);
  if (names.length > 1 && 'thrown' in response && isRefusal(response.thrown)) {
    return new Map(await Promise.all(names.map(async (name) => [name, await ask([name], access)] as const)));
  }
  return new Map(names.map((name) => [name, response]));
}

async function ask(names: readonly string[], access: Access): Promise<Response> {
  const command = new GetParametersCommand({ Names: [...names], WithDecryption: true });
  try {
    const result = await access.client.send(limited(command, access), { abortSignal: access.signal });
    return { ...result, asked: names };
  } catch (thrown) {
    return { thrown };
  }
}

function isRefusal(thrown: unknown): boolean {
  const fault = readFault(thrown);
  return fault !== undefined && ['AccessDenied', 'ObjectRefused', 'ObjectNotFound'].includes(reasonOf(fault, 'store'));
}

function fetchedFrom(
  response: Response | undefined,
  { object, source }: StoreRequest,
  { region, identity, askedAt, signal }: Access,
): FetchedObject | ProviderError {
  const wanted = parameterName(source);
  const name = requestedName(wanted);
  const call = {
    doing: `Failed fetching parameters: ${bare(name)}`,
    object: object.name,
    action: 'ssm:GetParameters',
    resource: parameterResource(wanted.base, region, identity),
    region,
    identity,
  } as const;
  if (response === undefined || 'thrown' in response) {
    return awsError(response?.thrown, call, signal);
  }
  const asked = response.asked.map((each) => parameterName({ name: each }));
  const { Value, Version } = findParameter(response.Parameters ?? [], wanted, asked) ?? {};
  if (Value === undefined || Version === undefined) {
    const fault = { kind: 'answer', code: '', status: 400, text: `invalid parameters: ${bare(name)}` } as const;
    return faultError(fault, 'ObjectNotFound', call);
  }
  return { version: String(Version), value: SecretBytes.fromText(Value), confirmedAt: askedAt };
}
