// Loaded into the attacked process before its own program: tells, when asked over IPC, for how long its one thread was not to be had.
const { monitorEventLoopDelay } = require('node:perf_hooks');

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
process.on('message', () => {
  process.send?.({ maxMs: delay.max / 1e6, rssMiB: process.memoryUsage.rss() / 2 ** 20 });
  delay.reset();
});
// Asking is no reason to live.
process.channel?.unref();
