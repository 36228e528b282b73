// `npm run simulate`: many virtual hours of a cluster. `-- --seeds N [--from S] [--first]` runs so many, or up to the first that fails;
// `-- --seed S` tells the story of one; `-- --fleet` prints what 5,000 nodes ask of AWS and of the API server.
import { parseArgs } from 'node:util';
import { simulateFleet } from './fleet.ts';
import { runSeed } from './run-seed.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    first: { type: 'boolean', default: false },
    fleet: { type: 'boolean', default: false },
  },
});
if (values.fleet) {
  await simulateFleet();
  process.exit();
}
const first = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
if (!Number.isInteger(first) || !Number.isInteger(count) || count < 1) {
  console.error('usage: npm run simulate [-- --seeds N [--from S] [--first] | --seed S | --fleet], whole numbers');
  process.exit(2);
}
const started = performance.now();
let failed = 0;
for (let seed = first; seed < first + count && !(values.first && failed > 0); seed += 1) {
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
