import { parseArgs } from 'node:util';
import type { ClassSpec, Problem } from '../model/mount-spec.ts';
import { parseClass } from '../class/parse-class.ts';
import { parseSecretObjects } from '../class/parse-secret-objects.ts';
import { NAME } from '../model/version.ts';
import { type ManifestClass, type Position, readManifest, readText } from './manifest.ts';
import { type ExitCode, type Terminal, UsageError } from './terminal.ts';

const USAGE = `usage: ${NAME} check [--aws-region REGION] [--provider NAME] [--strict] MANIFEST…

Validates the SecretProviderClasses of manifest files, without calling AWS or a cluster.
  --aws-region REGION   region of classes that name none; not given, their ARNs are not compared with a region
  --provider NAME       validate classes of this provider (default aws)
  --strict              warnings are failures too
Exit code: 0 valid, 1 problems found, 2 wrong usage.`;

/** Default file mode of the driver: 0644. */
const DEFAULT_MODE = 0o644;

interface Finding {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly position: Position;
}

/** Validates classes offline. Prints one `file:line:column: severity: message` per finding. */
export function check(args: readonly string[], terminal: Terminal): ExitCode {
  const options = readOptions(args);
  if (options.help) {
    terminal.out(USAGE);
    return 0;
  }
  const findings: Finding[] = [];
  let classes = 0;
  for (const file of options.files) {
    const manifest = readManifest(readText(file));
    const ours = manifest.classes.filter(({ provider }) => provider === options.provider);
    classes += ours.length;
    const found = [
      ...manifest.problems.map((problem) => ({ severity: 'error' as const, ...problem })),
      ...ours.flatMap((manifestClass) => findingsOf(manifestClass, options.region)),
    ];
    for (const { severity, message, position } of found) {
      terminal.out(`${file}:${position.line}:${position.col}: ${severity}: ${message}`);
    }
    findings.push(...found);
  }
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const warnings = findings.length - errors;
  terminal.out(`classes: ${classes}, errors: ${errors}, warnings: ${warnings}`);
  return errors > 0 || (options.strict && warnings > 0) ? 1 : 0;
}

function findingsOf(manifestClass: ManifestClass, region: string | undefined): readonly Finding[] {
  const parsed = parseClass(manifestClass.parameters, { region, mode: DEFAULT_MODE });
  const secrets = parseSecretObjects(manifestClass, parsed.ok ? filesOf(parsed.spec) : undefined);

  function located(severity: Finding['severity'], { message, parameter, offset }: Problem): Finding {
    return { severity, message, position: manifestClass.positionOf(['spec', 'parameters', parameter], offset) };
  }

  return [
    ...(parsed.ok ? [] : parsed.problems.map((problem) => located('error', problem))),
    ...secrets.problems.map(({ message, path, isOfPolicy }) => ({
      severity: isOfPolicy === true ? ('warning' as const) : ('error' as const),
      message,
      position: manifestClass.positionOf(path),
    })),
    ...parsed.warnings.map((problem) => located('warning', problem)),
  ];
}

/** @returns undefined for a class without objects, which its pods then set */
function filesOf({ objects }: ClassSpec): ReadonlySet<string> | undefined {
  if (objects.length === 0) {
    return undefined;
  }
  return new Set(objects.flatMap(({ path, extractions }) => [path, ...extractions.map((each) => each.path)]));
}

/** @throws TypeError of parseArgs, UsageError */
function readOptions(args: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'aws-region': { type: 'string' },
      provider: { type: 'string', default: 'aws' },
      strict: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (positionals.length === 0 && !values.help) {
    throw new UsageError('name a manifest file');
  }
  return { ...values, region: values['aws-region'], files: positionals };
}
