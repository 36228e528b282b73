/**
 * The forms of AWS's regions in all its partitions: us-east-1, ap-southeast-7, cn-north-1, us-gov-west-1, us-isob-east-1,
 * eu-isoe-west-1, eusc-de-east-1. A region becomes part of a host name. Pseudo-regions of the SDK (`fips-us-east-1`, `aws-global`) are
 * refused: the operator decides on the endpoints.
 */
const REGION = /^(?:[a-z]{2}|eusc)(?:-[a-z]{2,12}){1,2}-[1-9]\d?$/;

export function isRegion(text: string): boolean {
  return text.length <= 40 && REGION.test(text);
}
