// `npm run simulate`: many virtual hours of a cluster. `-- --seeds N [--from S]` runs so many; `-- --seed S` runs one and tells its story.
import { parseArgs } from 'node:util';
import { runSeed } from './run-seed.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
  },
});
const first = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
if (!Number.isInteger(first) || !Number.isInteger(count) || count < 1) {
  console.error('usage: npm run simulate [-- --seeds N [--from S] | --seed S], whole numbers');
  process.exit(2);
}
const started = performance.now();
let failed = 0;
for (let seed = first; seed < first + count; seed += 1) {
  const { violations, story, awsCalls, apiCalls } = await runSeed(seed);
  if (values.seed !== undefined) {
    story.forEach((line) => console.log(line));
    console.log(`${awsCalls} calls of AWS, ${apiCalls} of the API server`);
  }
  if (violations.length > 0) {
    failed += 1;
    console.log(`seed ${seed}:`);
    violations.slice(0, values.seed === undefined ? 5 : violations.length).forEach((line) => console.log(`  ${line}`));
  }
}
console.log(
  `${count - failed} of ${count} virtual hours went well, ${((performance.now() - started) / 1_000).toFixed(0)} s`,
);
// Processes that were killed wait for ever.
process.exit(failed === 0 ? 0 : 1);
