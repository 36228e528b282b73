// Loaded into the attacked process before its own program: tells, when asked over IPC, for how long its one thread was not to be had, and why.
const { monitorEventLoopDelay } = require('node:perf_hooks');

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();

let longest = 0;
let last = used();
setInterval(look, 5).unref();

process.on('message', () => {
  look();
  process.send?.({ maxMs: delay.max / 1e6, workMs: longest, rssMiB: process.memoryUsage.rss() / 2 ** 20 });
  delay.reset();
  longest = 0;
});
// Asking is no reason to live.
process.channel?.unref();

function look() {
  const now = used();
  longest = Math.max(longest, now - last);
  last = now;
}

/** Milliseconds for which a processor has run this thread. */
function used() {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e3;
}
