import { ALL_FLAGS } from './flags.ts';

/** The flags for a terminal. */
export function flagsHelp(): string {
  return ALL_FLAGS.map(({ name, type: { placeholder }, env, help, default: fallback }) => {
    const head = `  --${name}${placeholder === undefined ? '' : ` ${placeholder}`}`;
    const notes = [`env ${env}`, ...(fallback === undefined ? [] : [`default ${fallback}`])].join(', ');
    return `${head}\n      ${help.replaceAll('`', '')} (${notes})`;
  }).join('\n');
}

/** The flags as the README's table. */
export function flagsMarkdown(): string {
  const lines = ALL_FLAGS.map(
    ({ name, env, help, default: fallback }) =>
      `| \`--${name}\` | \`${env}\` | ${fallback === undefined ? '' : `\`${fallback}\``} | ${help} |`,
  );
  return ['| flag | environment | default | meaning |', '|---|---|---|---|', ...lines].join('\n');
}
