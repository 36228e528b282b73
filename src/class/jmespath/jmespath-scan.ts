import { formatGoJson, type GoJson, parseGoJson } from '../go/go-json.ts';
import { quote } from '../../text/quote.ts';

/** Thrown for an expression that is invalid for every document. */
export class JmesPathFailure extends Error {}

export interface ScannedJmesPath {
  /** The expression, rewritten so that the library reads it correctly. */
  readonly text: string;
  /** Steps that the evaluation may take for each value in the document, in addition to one per token. */
  readonly stepsPerValue: number;
}

const MAX_LENGTH = 4096;

/** Quoted names, raw strings, JSON literals, unclosed quotes, calls, and all other tokens. */
const TOKEN =
  /"(?:\\[^]|[^"\\])*"|'(?:\\'|\\(?!')|[^'\\])*'|`(?:\\[^]|[^`\\])*`|["'`]|[A-Za-z_]\w*\s*\(|-?\w+|\[[?\]]|&&|\|\||[=!<>]=|\S/g;

/** Expressions that the library misreads. In their shape, a quoted name is `"`, and a literal is "`" with its commas. */
const UNSUPPORTED: readonly (readonly [shape: RegExp, why: string])[] = [
  [/""(?!:)/, 'a value without a name cannot be picked'],
  [/__proto__"?:/, 'nothing can be named "__proto__"'],
  [/\[-?\d+\]\)*\[[-\d]*:/, 'a slice cannot follow an index: put " | " between them'],
  [/:[-\d]*:-?0+\]/, 'the step of a slice cannot be 0'],
];

/**
 * Rewrites literals and quoted names to ASCII without escaped quotes: the library resolves only one escaped quote in each literal,
 * and does not find the end of a literal after an emoji.
 * @throws JmesPathFailure
 */
export function scanJmesPath(expression: string, functions: ReadonlySet<string>): ScannedJmesPath {
  if (expression.length > MAX_LENGTH) {
    throw new JmesPathFailure(`it is longer than ${MAX_LENGTH} characters`);
  }
  const shapes: string[] = [];
  const text = expression.replaceAll(TOKEN, (token) => {
    if (!/^["'`]/.test(token)) {
      const called = /^(\w+)\s*\($/.exec(token)?.[1];
      if (called !== undefined && !functions.has(called)) {
        throw new JmesPathFailure(`there is no function ${called}(): the functions are ${[...functions].join(', ')}`);
      }
      shapes.push(called === undefined ? token : '(');
      return token;
    }
    const json = formatGoJson(literalValue(token), () => {}).replaceAll(
      /[^ -~]|`/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    if (token.startsWith('"')) {
      shapes.push(['""', '"__proto__"'].includes(json) ? json : '"');
      return json;
    }
    shapes.push(`\`${token.startsWith('`') ? json.replaceAll(/[^,]/g, '') : ''}`);
    return `\`${json}\``;
  });
  const unsupported = UNSUPPORTED.find(([shape]) => shape.test(shapes.join('')));
  if (unsupported !== undefined) {
    throw new JmesPathFailure(unsupported[1]);
  }
  return { text, stepsPerValue: countSteps(shapes) };
}

function literalValue(token: string): GoJson {
  if (token.length === 1) {
    throw new JmesPathFailure(`a ${token} is never closed`);
  }
  const inner = token.slice(1, -1);
  if (token.startsWith("'")) {
    return inner.replaceAll("\\'", "'").toWellFormed();
  }
  const parsed = parseGoJson(token.startsWith('"') ? token : inner.replaceAll('\\`', '`'));
  if (!parsed.ok) {
    throw new JmesPathFailure(`${quote(token)} cannot be read: ${parsed.reason}`);
  }
  return parsed.value;
}

/** The content between two brackets, after the last comma. */
const BRACKETS = {
  opening: '',
  stepsBefore: 0,
  /** Whether it visits many values. */
  loops: false,
  /** Of all values together. */
  growth: 1,
  /** Before the last comma. */
  grown: 0,
  filtered: false,
  refers: false,
};

/**
 * An upper bound. Only loops (`[*]`, `[?…]`, `&…`) visit values repeatedly, each time at most all of them. Only
 * "[@, @]", "{a: @, b: @}" and literals increase their number.
 */
function countSteps(shapes: readonly string[]): number {
  let steps = 0;
  let inner = { ...BRACKETS };
  const around: (typeof BRACKETS)[] = [];
  for (const shape of shapes) {
    const outer = around.at(-1) ?? BRACKETS;
    if (/^[[{(]\??$/.test(shape)) {
      if (shape === '[?' && inner.filtered) {
        throw new JmesPathFailure('a second filter cannot follow a filter: put " | " before it');
      }
      around.push(inner);
      const { growth, loops } = inner;
      inner = { ...BRACKETS, opening: shape, stepsBefore: steps, growth, loops: loops || shape === '[?' };
    } else if (/^[\]})]$/.test(shape)) {
      const growth = inner.grown + inner.growth;
      const filtered = outer.filtered || inner.opening === '[?';
      steps += inner.refers ? ((steps - inner.stepsBefore) * growth) / outer.growth : 0;
      inner = { ...outer, growth, filtered, loops: outer.loops || inner.loops };
      around.pop();
    } else if (/^(?:,|\|\|?|&&|[=!]=|[<>]=?)$/.test(shape)) {
      inner.loops = outer.loops;
      inner.filtered = false;
      if (shape === ',' && inner.opening !== '(') {
        inner.grown += inner.growth;
        inner.growth = outer.growth;
      }
    } else if (/^(?:\*|\[\]|&)$/.test(shape) || (shape === ':' && inner.opening === '[')) {
      inner.loops = true;
      inner.refers ||= shape === '&';
    } else if (shape.startsWith('`')) {
      inner.growth *= shape.length;
    }
    // "==" compares whole values, and the library lists the keys of an object to check whether it is empty.
    steps += inner.loops || /^(?:[=!]=|!|\|\||&&)$/.test(shape) ? inner.growth : 0;
  }
  return steps;
}
