/** One object to read. */
export interface Lookup {
  readonly resource: 'serviceaccounts' | 'pods' | 'nodes';
  /** Absent for nodes. */
  readonly namespace?: string;
  readonly name: string;
}
