import type { Steps } from '../concurrency/time-slices.ts';
import { newFileClaims } from './file-claims.ts';
import { type YamlMap, type YamlValue, readYaml } from './go/go-yaml.ts';
import { createJmesPath } from './jmespath/jmespath.ts';
import type { ObjectSpec, Problem } from '../model/mount-spec.ts';
import { objectName, readObjectFields, type Report } from './object-fields.ts';
import { type ObjectContext, parseObject } from './parse-object.ts';
import { newProblemList, type ProblemList } from './problem-list.ts';
import { quote } from '../text/quote.ts';

const PARAMETER = 'objects';
/** Ten times the size of the largest public class. */
const MAX_OBJECTS = 500;
/** Maximum of all objects together. */
const MAX_EXTRACTIONS = 2_000;
/** Longer names are not quoted in messages. */
const MAX_TITLE = 512;

interface ObjectsReading {
  /** The valid entries. */
  readonly objects: readonly ObjectSpec[];
  /** Problems by entry, in the order in which AWS's provider would find them. */
  readonly problems: readonly Problem[];
  /** Ignored parts that the author probably did not expect to be ignored. */
  readonly warnings: readonly Problem[];
}

/** @param text YAML or JSON: a list of objects, or empty */
export function* parseObjects(text: string, context: ObjectContext): Steps<ObjectsReading> {
  const yaml = yield* readYaml(text);
  if (!yaml.ok) {
    const line = text.slice(0, yaml.offset).split('\n').length;
    return failed(`objects cannot be read as YAML: line ${line}: ${yaml.message}`, yaml.offset);
  }
  if (yaml.value.kind === 'null') {
    return { objects: [], problems: [], warnings: [] };
  }
  if (yaml.value.kind !== 'list') {
    const hint = yaml.value.kind === 'map' ? ' (write the list directly, without "array:" or another key)' : '';
    return failed(`objects must be a list of objects, not a ${yaml.value.kind}${hint}`, yaml.value.offset);
  }
  const { items, offset } = yaml.value;
  return items.length > MAX_OBJECTS
    ? failed(`objects lists ${items.length} objects, more than the ${MAX_OBJECTS} that a class may: ${SPLIT}`, offset)
    : yield* parseEntries(items, context);
}

const SPLIT = 'spread them over several SecretProviderClasses, each a volume of its own';

function failed(message: string, offset: number): ObjectsReading {
  return { objects: [], problems: [{ message, parameter: PARAMETER, offset }], warnings: [] };
}

function* parseEntries(entries: readonly YamlValue[], context: ObjectContext): Steps<ObjectsReading> {
  const objects: ObjectSpec[] = [];
  /** Types are checked first, because AWS's provider stops at the first wrong type before it checks fields. */
  const shapes = newProblemList();
  const problems = newProblemList();
  const warnings = newProblemList();
  const claims = newFileClaims();
  const jmesPath = createJmesPath();
  let extractions = 0;

  for (const [index, entry] of entries.entries()) {
    const place = `objects[${index}]`;
    yield;
    if (entry.kind === 'map') {
      yield* parseEntry(place, entry);
      if (extractions > MAX_EXTRACTIONS) {
        return failed(
          `objects has more than ${MAX_EXTRACTIONS} entries in its jmesPath lists together: ${SPLIT}`,
          entry.offset,
        );
      }
    } else if (entry.kind === 'null') {
      reportIn(problems, place)('Empty descriptor entry: set objectName and other fields', entry.offset);
    } else {
      reportIn(shapes, place)(`must be a map with objectName and other fields, not a ${entry.kind}`, entry.offset);
    }
  }
  return { objects, problems: [...shapes.all(), ...problems.all()], warnings: warnings.all() };

  function* parseEntry(place: string, entry: YamlMap): Steps<void> {
    const whole = objectName(entry);
    const title = whole === undefined ? place : `${place} ${quote(whole)}`;
    const name = whole?.slice(0, MAX_TITLE);
    const shapesBefore = shapes.size;
    const fields = readObjectFields(entry, {
      problem: reportIn(shapes, title, name),
      warning: reportIn(warnings, title, name),
    });
    extractions += fields.jmesPath.length;
    if (shapes.size > shapesBefore || extractions > MAX_EXTRACTIONS) {
      return;
    }
    const report = reportIn(problems, title, name);
    const problemsBefore = problems.size;
    const object = yield* parseObject(fields, { ...context, jmesPath }, report);
    if (object !== undefined && problems.size === problemsBefore) {
      objects.push(object);
      claims.claim(title, object, fields.texts.objectAlias?.text, (message) => {
        report(message, entry.offset);
      });
    }
  }
}

function reportIn(list: ProblemList, title: string, object?: string): Report {
  return (message, offset) => {
    list.add({
      message: `${title}: ${message}`,
      parameter: PARAMETER,
      ...(object !== undefined && { object }),
      offset,
    });
  };
}
