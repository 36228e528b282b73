import { ACTIONS } from './aws/state.ts';

/** A table for a terminal: columns as wide as their widest cell; numbers, which begin with a digit, stand right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(...[title, ...rows.map((row) => row[column] ?? '')].map(({ length }) => length)),
  );
  function line(cells: readonly string[]): string {
    return cells
      .map((cell, column) =>
        /^\d[\d.,]*$/.test(cell) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  }
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** `20 (batch 10, sts 10)`. */
export function describeCalls(calls: Readonly<Record<string, number>>): string {
  const words: Readonly<Record<string, string>> = ACTIONS;
  const parts = Object.entries(calls).map(([action, count]) => `${words[action] ?? action} ${count}`);
  const total = Object.values(calls).reduce((sum, count) => sum + count, 0);
  return total === 0 ? '0' : `${total} (${parts.toSorted().join(', ')})`;
}
