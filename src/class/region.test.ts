import { expect, it } from 'vitest';
import { isRegion } from './region.ts';

it.for([
  'us-east-1',
  'eu-central-1',
  'ap-southeast-7',
  'mx-central-1',
  'il-central-1',
  'cn-north-1',
  'cn-northwest-1',
  'us-gov-west-1',
  'us-iso-east-1',
  'us-isob-east-1',
  'us-isof-south-1',
  'eu-isoe-west-1',
  'eusc-de-east-1',
])('accepts %s as a region', (region) => {
  expect(isRegion(region)).toBe(true);
});

it.for([
  '-x',
  'x',
  'fips-us-east-1',
  'us-east-1-fips',
  'aws-global',
  'us-east-1.evil.example',
  'us-east-0',
  'us--east-1',
  'us-east-1\n',
  'US-EAST-1',
  '127.0.0.1',
])('does not accept %j as a region', (region) => {
  expect(isRegion(region)).toBe(false);
});
