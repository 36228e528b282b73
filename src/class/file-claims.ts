import { directoriesOf } from './file-path.ts';
import type { Extraction, ObjectSpec } from '../model/mount-spec.ts';
import { bare, quote } from '../text/quote.ts';

/** The source of a file: an object, or one of its extractions. */
interface Claim {
  /** Name of the object in messages. */
  readonly title: string;
  readonly object: ObjectSpec;
  readonly alias: string | undefined;
}

/** Maximum length of all paths of a class together: every directory is created again whenever the volume changes. */
const MAX_DIRECTORIES = 2_000;

export interface FileClaims {
  /**
   * @param alias the alias of the object; absent if the file has the object's name
   * @param report called with the reason why an object or its extraction cannot have a file
   */
  claim(title: string, object: ObjectSpec, alias: string | undefined, report: (message: string) => void): void;
}

/** Detects objects that write the same file, or a file where another object needs a directory. */
export function newFileClaims(): FileClaims {
  const files = new Map<string, Claim>();
  const directories = new Map<string, Claim>();

  /** @returns why the file is refused, if it is */
  function take(path: string, claim: Claim, clashWith: (rival: Claim) => string): string | undefined {
    const above = directoriesOf(path);
    const rival = files.get(path) ?? directories.get(path) ?? above.map((each) => files.get(each)).find(Boolean);
    if (rival !== undefined) {
      return `${clashWith(rival)}: the file ${quote(path)} conflicts with a file of ${rival.title}: give one of them another objectAlias`;
    }
    files.set(path, claim);
    for (const directory of above) {
      if (directories.size >= MAX_DIRECTORIES && !directories.has(directory)) {
        return `the file ${quote(path)} needs a directory more than the ${MAX_DIRECTORIES} that a volume may have: set an objectAlias with fewer "/"`;
      }
      directories.set(directory, claim);
    }
    return undefined;
  }

  return {
    claim(title, object, alias, report) {
      const own = { title, object, alias };
      const problems = [
        take(object.path, own, (rival) => objectClash(own, rival)),
        ...object.extractions.map((extraction) =>
          take(extraction.path, { title, object, alias: extraction.alias }, () => extractionClash(extraction)),
        ),
      ];
      for (const problem of problems.filter((each) => each !== undefined)) {
        report(problem);
      }
    },
  };
}

function objectClash(own: Claim, rival: Claim): string {
  if (own.object.name === rival.object.name && rival.alias === own.alias) {
    const alias = own.alias === undefined ? 'no object alias' : `duplicate object alias: ${bare(own.alias)}`;
    return `found duplicate object name: ${bare(own.object.name)}, ${alias}, ${labels(own.object, rival.object)}`;
  }
  return own.alias !== undefined && own.alias === rival.alias
    ? `found duplicate object alias: ${bare(own.alias)}`
    : 'two objects cannot share a file';
}

function labels({ primary: { label } }: ObjectSpec, { primary: { label: other } }: ObjectSpec): string {
  if (label !== other) {
    return `version labels ${quote(other ?? '')} and ${quote(label ?? '')}`;
  }
  return label === undefined ? 'no version label' : `duplicate version label: ${bare(label)}`;
}

function extractionClash({ alias, expression }: Extraction): string {
  return `Name already in use: alias ${bare(alias)} of jmesPath ${quote(expression)}`;
}
