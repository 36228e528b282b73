import { FLAGS, type Flag } from './flags.ts';

interface FlagRow extends Flag<unknown> {
  readonly name: string;
}

function rows(): readonly FlagRow[] {
  return Object.entries<Flag<unknown>>(FLAGS).map(([name, definition]) => ({ name, ...definition }));
}

/** The flags for a terminal. */
export function flagsHelp(): string {
  return rows()
    .map(({ name, value, env, help, default: fallback }) => {
      const head = `  --${name}${value === undefined ? '' : ` ${value}`}`;
      const notes = [`env ${env}`, ...(fallback === undefined ? [] : [`default ${fallback}`])].join(', ');
      return `${head}\n      ${help.replaceAll('`', '')} (${notes})`;
    })
    .join('\n');
}

/** The flags as the README's table. */
export function flagsMarkdown(): string {
  const lines = rows().map(
    ({ name, env, help, default: fallback }) =>
      `| \`--${name}\` | \`${env}\` | ${fallback === undefined ? '' : `\`${fallback}\``} | ${help} |`,
  );
  return ['| flag | environment | default | meaning |', '|---|---|---|---|', ...lines].join('\n');
}
