import type { IncomingHttpHeaders } from 'node:http';
import type { AwsRequest } from './aws-request.ts';
import type { Upstream } from './upstream.ts';

interface Parameter {
  readonly Name: string;
  readonly Selector?: string;
}

/** GetParameters as in AWS: in the order of names, and with the selectors, which moto omits. */
export async function answerParameters(request: AwsRequest, headers: IncomingHttpHeaders, upstream: Upstream) {
  const parts = await Promise.all(
    request.resources.map(async (name) => {
      const { body } = await upstream(headers, JSON.stringify({ ...request.parameters, Names: [name] }));
      const { Parameters, InvalidParameters } = JSON.parse(body.toString()) as Record<string, Parameter[]>;
      const [, selector] = /^(?:arn:(?:[^:]*:){4})?[^:]*(:.*)$/.exec(name) ?? [];
      const found = Parameters?.map((parameter) => ({
        ...parameter,
        ...(selector !== undefined && { Selector: selector }),
      }));
      return { found: found ?? [], invalid: InvalidParameters ?? [] };
    }),
  );
  return {
    Parameters: parts.flatMap(({ found }) => found).toSorted((a, b) => (a.Name < b.Name ? -1 : 1)),
    InvalidParameters: parts.flatMap(({ invalid }) => invalid),
  };
}
