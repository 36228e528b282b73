import { flagsHelp } from '../config/describe-flags.ts';
import { NAME, VERSION } from '../model/version.ts';
import { check } from './check.ts';
import { mountCommand } from './mount.ts';
import { serve } from './serve.ts';
import { type ExitCode, type Terminal, UsageError } from './terminal.ts';

/** @returns exit code: 0 success, 1 failure, 2 wrong usage */
type Command = (args: readonly string[], terminal: Terminal) => Promise<ExitCode> | ExitCode;

const COMMANDS: Readonly<Record<string, Command>> = {
  serve,
  mount: mountCommand,
  check,
  version,
  help,
};

/** Runs the command that the first argument names, or `serve` if it names none, as the arguments of a container do. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [first, ...rest] = argv;
  if (first === undefined || (first.startsWith('-') && !['-h', '-help', '--help', '--version'].includes(first))) {
    return await serve(argv, terminal);
  }
  const name = first.replace(/^-+/, '').replace(/^h$/, 'help');
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    terminal.err(`${NAME}: no command "${first}": there are ${Object.keys(COMMANDS).join(', ')}`);
    return 2;
  }
  try {
    return await command(rest, terminal);
  } catch (error) {
    if (!isUsageError(error)) {
      throw error;
    }
    terminal.err(`${NAME} ${name}: ${error.message}; see "${NAME} ${name} --help"`);
    return 2;
  }
}

/** Whether the error is a usage error of ours or of parseArgs. */
function isUsageError(error: unknown): error is Error {
  return (
    error instanceof UsageError ||
    (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
  );
}

function version(_args: readonly string[], terminal: Terminal): ExitCode {
  terminal.out(`${NAME} ${VERSION}`);
  return 0;
}

function help(_args: readonly string[], terminal: Terminal): ExitCode {
  terminal.out(`Secrets Store CSI provider for AWS Secrets Manager and Parameter Store

usage: ${NAME} [serve] [flags]            serve the driver until stopped
       ${NAME} check MANIFEST…            validate SecretProviderClasses without calling AWS
       ${NAME} mount MANIFEST [options]   call a running provider as the driver would
       ${NAME} version
       ${NAME} COMMAND --help

flags of serve:
${flagsHelp()}`);
  return 0;
}
