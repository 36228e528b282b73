import type { V1LabelSelector, V1LabelSelectorRequirement } from '@kubernetes/client-node';

/** An empty selector matches nothing: no workload has one. */
export function matchesLabels(selector: V1LabelSelector, labels: ReadonlyMap<string, string>): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const equals = Object.entries(matchLabels);
  return (
    equals.length + matchExpressions.length > 0 &&
    equals.every(([key, value]) => labels.get(key) === value) &&
    matchExpressions.every((expression) => matchesExpression(expression, labels.get(expression.key)))
  );
}

function matchesExpression({ operator, values = [] }: V1LabelSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

/** Maximum number of labels in the query of a list, so that its URL stays short. */
const MAX_ASKED = 10;

/** A query that preselects objects; the caller must still apply the selector. @returns undefined if it would not preselect any */
export function labelQuery({ matchLabels = {} }: V1LabelSelector): string | undefined {
  const terms = Object.entries(matchLabels).slice(0, MAX_ASKED);
  return terms.length === 0 ? undefined : terms.map(([key, value]) => `${key}=${value}`).join(',');
}
