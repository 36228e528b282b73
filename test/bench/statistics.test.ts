import { describe, expect, it } from 'vitest';
import { median, percentile, slope } from './statistics.ts';

describe('percentile', () => {
  it.for([
    [0.99, 1, 1],
    [0.99, 100, 99],
    [0.99, 110, 109],
    [0.5, 4, 2],
    [0.5, 3, 2],
    [0, 2, 1],
    [1, 2, 2],
  ] as const)('%d of the numbers 1 to %d is %d', ([share, last, expected]) => {
    const values = Array.from({ length: last }, (_, index) => last - index);

    expect(percentile(values, share)).toBe(expected);
  });

  it('leaves the values in their order', () => {
    const values = [3, 1, 2];

    median(values);

    expect(values).toEqual([3, 1, 2]);
  });
});

describe('slope', () => {
  it('finds the growth of a line', () => {
    expect(slope([1, 2, 5].map((x) => [x, 7 - 3 * x] as const))).toBeCloseTo(-3);
  });

  it('averages scattered values', () => {
    const points = [0, 1, 2, 3].map((x) => [x, 2 * x + (x % 2 === 0 ? 1 : -1)] as const);

    expect(slope(points)).toBeCloseTo(1.6);
  });

  it('is NaN if there is no line', () => {
    expect(slope([[1, 1]])).toBeNaN();
  });
});
