import { expect, it } from 'vitest';
import { createVirtualClock, type VirtualClock } from '../../test/fakes/virtual-clock.ts';
import { createServerClock, type ServerClock } from './server-clock.ts';

const SERVER_START = Date.parse('2026-03-01T12:00:00.250Z');

/** A node whose wall clock is wrong by hours, and the date that a server answers with now. */
function start(): { readonly node: VirtualClock; readonly clock: ServerClock; readonly date: () => string } {
  const node = createVirtualClock(SERVER_START - 7_200_000);
  return {
    node,
    clock: createServerClock(node),
    date: () => new Date(SERVER_START + node.now()).toUTCString(),
  };
}

it("is the node's wall clock before the first response, and if a response has no date", () => {
  const { node, clock } = start();
  clock.onResponse(undefined, node.now());
  clock.onResponse('yesterday', node.now());

  expect(clock.wallNow()).toBe(node.wallNow());
});

it("is within half a second of the server's time after one response, and nearer after more", async () => {
  const { node, clock, date } = start();
  clock.onResponse(date(), node.now());
  expect(Math.abs(clock.wallNow() - (SERVER_START + node.now()))).toBeLessThanOrEqual(500);

  for (let count = 0; count < 20; count += 1) {
    await node.advance(330);
    const sentAt = node.now();
    await node.advance(10);
    clock.onResponse(date(), sentAt);
  }
  expect(Math.abs(clock.wallNow() - (SERVER_START + node.now()))).toBeLessThanOrEqual(50);
});

it('does not count the latency of a slow response as a difference', async () => {
  const { node, clock, date } = start();
  clock.onResponse(date(), node.now());
  const before = clock.wallNow() - node.now();
  const sentAt = node.now();
  const answered = date();
  await node.advance(30_000);
  clock.onResponse(answered, sentAt);

  expect(clock.wallNow() - node.now()).toBe(before);
});

it("ignores a jump of the node's wall clock", async () => {
  const { node, clock, date } = start();
  clock.onResponse(date(), node.now());
  const before = clock.wallNow();
  node.jump(3_600_000);
  await node.advance(5);

  expect(clock.wallNow()).toBe(before + 5);
});

it('follows the server when its clock is set', async () => {
  const { node, clock, date } = start();
  clock.onResponse(date(), node.now());
  const later = new Date(SERVER_START + node.now() + 60_000).toUTCString();
  clock.onResponse(later, node.now());

  expect(Math.abs(clock.wallNow() - Date.parse(later))).toBeLessThanOrEqual(1_000);
});
