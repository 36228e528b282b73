// Loaded into the attacked process before its own program: reports over IPC for how long its only thread was blocked, and why.
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
// The channel must not keep the process alive.
process.channel?.unref();

function look() {
  const now = used();
  longest = Math.max(longest, now - last);
  last = now;
}

/** Milliseconds of processor time of this thread. */
function used() {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e3;
}
